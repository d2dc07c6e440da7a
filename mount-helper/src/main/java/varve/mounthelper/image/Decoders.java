package varve.mounthelper.image;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.ChainReader;
import varve.archive.chain.Frames;
import varve.archive.format.Node;

/// The threads that read archives, decode and prove: a few platform threads, whose number bounds the memory that is used for
/// it. What somebody waits for comes before what is only expected to be wanted.
///
/// Safe for use by several threads.
final class Decoders implements AutoCloseable {

    private static final int AHEAD_PER_THREAD = 8;
    private static final int MOST_READERS = 4; // that a thread keeps
    private static final int LARGE_CHUNK = 4 << 20; // of which it keeps one alone
    private static final int UNIT = 64 << 10;

    private final Cache cache;
    private final int mostAhead;
    private final int room; // of the cache, in units
    private final Semaphore free; // of it, for what is being decoded
    private final Deque<Cache.Entry> wanted = new ArrayDeque<>();
    private final Deque<Cache.Entry> ahead = new ArrayDeque<>();
    private final Deque<Job> help = new ArrayDeque<>();
    private final List<Image> busy = new ArrayList<>(); // one for each thread at work
    private final List<Thread> threads = new ArrayList<>();
    private int idle; // threads
    private boolean closed;

    /// What a thread does next.
    ///
    /// @param entry of a chunk that is put together; or of a part of it, which is decoded for the thread that is at the chunk
    private record Job(Cache.Entry entry, long chunk, ChainReader.@Nullable Part part) {

        Job(Cache.Entry chunk) {
            this(chunk, chunk.key().place(), null);
        }

        Image image() {
            return entry.key().image();
        }
    }

    Decoders(Cache cache, long cacheSize, int count) {
        this.cache = cache;
        this.mostAhead = AHEAD_PER_THREAD * count;
        this.room = (int) (cacheSize / UNIT);
        this.free = new Semaphore(room, true);
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().name("varve-decode-" + i).daemon().start(this::work));
        }
    }

    /// Has the chunk of a pinned entry brought, unless somebody is at it.
    void want(Cache.Entry chunk) {
        if (!chunk.claimed()) {
            synchronized (this) {
                wanted.add(chunk);
                notifyAll();
            }
        }
    }

    /// Has a chunk brought when there is nothing better to do, if it is not there and there is not much to do already.
    void expect(Cache.Key chunk) {
        synchronized (this) {
            if (ahead.size() >= mostAhead) {
                return;
            }
            try (Cache.Entry entry = cache.pinNew(chunk)) {
                if (entry != null) {
                    ahead.add(entry);
                    notifyAll();
                }
            }
        }
    }

    /// Forgets an image that nobody reads any more; returns when no thread is at work on it.
    void forget(Image image) {
        synchronized (this) {
            for (Iterator<Cache.Entry> entries = ahead.iterator(); entries.hasNext(); ) {
                Cache.Entry entry = entries.next();
                if (entry.key().image().equals(image)) {
                    entries.remove();
                    if (entry.claim()) {
                        entry.fail(new IOException(image.name() + ": closed"));
                    }
                }
            }
            wanted.removeIf(entry -> entry.key().image().equals(image)); // others were first
            help.removeIf(each -> each.image().equals(image));
            boolean interrupted = false;
            while (busy.contains(image)) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized @Nullable Job next() throws InterruptedException {
        while (!closed) {
            Job job = !wanted.isEmpty() ? new Job(wanted.remove()) : !help.isEmpty() ? help.remove() : !ahead.isEmpty() ? new Job(ahead.remove()) : null;
            if (job == null) {
                idle++;
                wait();
                idle--;
            } else if (start(job)) {
                busy.add(job.image());
                return job;
            }
        }
        return null;
    }

    private boolean start(Job job) {
        if (job.part == null) {
            return job.entry.claim();
        }
        int need = units(job.part.frame().contentSize());
        if (!free.tryAcquire(need)) {
            return false; // no thread waits for room only to help another
        }
        if (!job.entry.claim()) {
            free.release(need);
            return false;
        }
        return true;
    }

    private synchronized void done(Job job) {
        busy.remove(job.image());
        notifyAll();
    }

    private void work() {
        Map<Image, ChainReader> readers = new LinkedHashMap<>(MOST_READERS, 0.75f, true);
        try {
            for (Job job = next(); job != null; job = next()) {
                try {
                    if (job.part == null) {
                        load(job.entry, readers);
                    } else {
                        help(job, job.part, readers);
                    }
                } finally {
                    done(job);
                }
            }
        } catch (InterruptedException e) {
            // nobody does
        } finally {
            readers.values().forEach(ChainReader::close);
        }
    }

    private void load(Cache.Entry entry, Map<Image, ChainReader> readers) {
        Image image = entry.key().image();
        int need = units(image.decodingSize());
        free.acquireUninterruptibly(need);
        List<Cache.Entry> asked = new ArrayList<>();
        try {
            long chunk = entry.key().place();
            ChainReader reader = reader(image, readers);
            askForHelp(image, chunk, reader, asked);
            entry.bring(image.chunkLength(chunk), into -> entry.values(image.decode(reader, chunk, into)));
        } catch (Throwable e) { // those who wait for it have it, too
            entry.fail(e);
            image.tell(entry.key().place(), e);
        } finally {
            asked.forEach(cache::dropUnclaimed);
            free.release(need);
        }
    }

    /// Has threads that have nothing to do decode all frames of a chunk but the first. What none of them has begun when it is needed is decoded by who needs it.
    ///
    /// @param asked takes those that were not there
    private void askForHelp(Image image, long chunk, ChainReader reader, List<Cache.Entry> asked) throws IOException {
        synchronized (this) {
            if (idle == 0) {
                return;
            }
        }
        List<ChainReader.Part> parts = image.parts(reader, chunk);
        for (ChainReader.Part part : parts.subList(Math.min(1, parts.size()), parts.size())) {
            try (Cache.Entry frame = cache.pinNew(new Cache.Key(image, part.layer(), part.frame().position()))) {
                if (frame != null) {
                    asked.add(frame);
                    synchronized (this) {
                        help.add(new Job(frame, chunk, part));
                        notifyAll();
                    }
                }
            }
        }
    }

    private void help(Job job, ChainReader.Part part, Map<Image, ChainReader> readers) {
        try {
            ChainReader reader = reader(job.image(), readers);
            job.entry.bring(part.frame().contentSize(), content -> reader.decode(part, job.chunk, content));
        } catch (Throwable e) { // it is told by those who wait for it
            job.entry.fail(e);
        } finally {
            free.release(units(part.frame().contentSize()));
        }
    }

    private int units(long size) {
        return (int) Math.min(room, size / UNIT + 2);
    }

    private ChainReader reader(Image image, Map<Image, ChainReader> readers) {
        ChainReader reader = readers.get(image);
        if (reader == null) {
            int others = (image.chain().geometry().chunkSize() >= LARGE_CHUNK ? 1 : MOST_READERS) - 1;
            for (Iterator<Map.Entry<Image, ChainReader>> eldest = readers.entrySet().iterator(); eldest.hasNext(); ) {
                Map.Entry<Image, ChainReader> other = eldest.next();
                if (other.getKey().closed() || readers.size() > others) {
                    eldest.remove();
                    other.getValue().close();
                }
            }
            reader = new ChainReader(image.chain(), new SharedFrames(image));
            readers.put(image, reader); // also of one that is being closed: that waits for who is at work on it
        }
        return reader;
    }

    /// Frames of an image in the cache of all.
    private final class SharedFrames implements Frames {

        private final Image image;

        SharedFrames(Image image) {
            this.image = image;
        }

        @Override
        public Held hold(int layer, Node.Frame frame, Decoding decoding) throws IOException {
            Cache.Entry entry = cache.pin(new Cache.Key(image, layer, frame.position()));
            try {
                if (entry.claim()) {
                    entry.bring(frame.contentSize(), decoding::into);
                }
                return new Shared(entry, entry.await());
            } catch (Throwable e) {
                entry.close();
                throw e;
            }
        }

        @Override
        public @Nullable Held holdIfThere(int layer, Node.Frame frame) throws IOException {
            Cache.Entry entry = cache.pinClaimed(new Cache.Key(image, layer, frame.position()));
            if (entry == null) {
                return null;
            }
            try {
                return new Shared(entry, entry.await());
            } catch (Throwable e) {
                entry.close();
                throw e;
            }
        }

        @Override
        public void forget(int layer) {
            cache.drop(image, layer);
        }

        @Override
        public void close() {}
    }

    private record Shared(Cache.Entry entry, MemorySegment content) implements Frames.Held {
        @Override
        public void close() {
            entry.close();
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        boolean interrupted = false;
        for (int i = 0; i < threads.size(); ) {
            try {
                threads.get(i).join();
                i++;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
