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
    private final List<Image> busy = new ArrayList<>(); // one for each thread at work
    private final List<Thread> threads = new ArrayList<>();
    private boolean closed;

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

    private synchronized Cache.@Nullable Entry next() throws InterruptedException {
        while (!closed) {
            Cache.Entry entry = wanted.isEmpty() ? ahead.poll() : wanted.poll();
            if (entry == null) {
                wait();
            } else if (entry.claim()) {
                busy.add(entry.key().image());
                return entry;
            }
        }
        return null;
    }

    private synchronized void done(Cache.Entry entry) {
        busy.remove(entry.key().image());
        notifyAll();
    }

    private void work() {
        Map<Image, ChainReader> readers = new LinkedHashMap<>(MOST_READERS, 0.75f, true);
        try {
            for (Cache.Entry entry = next(); entry != null; entry = next()) {
                try {
                    load(entry, readers);
                } finally {
                    done(entry);
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
        int need = (int) Math.min(room, image.decodingSize() / UNIT + 2);
        free.acquireUninterruptibly(need);
        try {
            long chunk = entry.key().place();
            ChainReader reader = reader(image, readers);
            entry.bring(image.chunkLength(chunk), into -> image.decode(reader, chunk, into));
        } catch (Throwable e) { // those who wait for it have it, too
            image.tell(entry.key().place(), e);
        } finally {
            free.release(need);
        }
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
