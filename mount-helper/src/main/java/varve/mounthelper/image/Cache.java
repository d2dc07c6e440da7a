package varve.mounthelper.image;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What was decoded lately, of all images together, in a fixed amount of memory: chunks, which were proved by their hash before
/// they came here, and frames of deltas, from which chunks are put together and then proved.
///
/// Each thing is decoded once, however many want it: of those who pin an entry, the one who can claim it brings the content, the
/// others wait. When room is needed, what was wanted longest ago goes. A pinned entry stays; nobody pins one for longer than
/// it takes to bring it and to copy from it, so room is found in the end.
///
/// Safe for use by several threads.
final class Cache implements AutoCloseable {

    private final Slab slab;
    private final Leaving leaving;
    private final Map<Key, Entry> entries = new LinkedHashMap<>(256, 0.75f, true);

    /// What an entry is of.
    ///
    /// @param layer of a frame's archive, or `CHUNK`
    /// @param place a frame's position in its file, or a chunk's number
    record Key(Image image, int layer, long place) {

        private static final int CHUNK = -1;

        static Key chunk(Image image, long chunk) {
            return new Key(image, CHUNK, chunk);
        }

        boolean ofChunk() {
            return layer == CHUNK;
        }
    }

    /// A chunk or frame that is there or on its way. Closing it unpins it.
    final class Entry implements AutoCloseable {

        private final Key key;
        private final CompletableFuture<MemorySegment> content = new CompletableFuture<>();
        private int pins;
        private boolean claimed;
        private long taken; // bytes
        private MemorySegment values = MemorySegment.NULL; // of a chunk's groups

        private Entry(Key key) {
            this.key = key;
        }

        Key key() {
            return key;
        }

        /// {@return whether nobody has before: then the caller has to bring the content, by [#bring] or [#fail]}
        boolean claim() {
            synchronized (Cache.this) {
                boolean first = !claimed;
                claimed = true;
                return first;
            }
        }

        boolean claimed() {
            synchronized (Cache.this) {
                return claimed;
            }
        }

        /// Attaches what it takes to prove parts of a chunk when they come from elsewhere; by who brings it.
        void values(MemorySegment values) {
            this.values = values;
        }

        /// Finds room and fills it.
        ///
        /// @throws IOException if that is not possible; all who wait for it get the same
        void bring(long size, Loading loading) throws IOException {
            MemorySegment room = take(size);
            try {
                loading.into(room);
            } catch (Throwable e) {
                synchronized (Cache.this) {
                    slab.free(room);
                }
                fail(e);
                throw e;
            }
            content.complete(room);
        }

        /// Notes that a part of the content was copied.
        void took(long size) {
            synchronized (Cache.this) {
                taken += size;
            }
        }

        void fail(Throwable cause) {
            synchronized (Cache.this) {
                entries.remove(key, this);
                Cache.this.notifyAll();
            }
            content.completeExceptionally(cause);
        }

        /// {@return the content, when it is there}
        /// @throws IOException if it could not be brought
        MemorySegment await() throws IOException {
            try {
                return content.join();
            } catch (CompletionException e) {
                switch (e.getCause()) {
                    case IOException cause -> throw cause;
                    case RuntimeException cause -> throw cause;
                    case Error cause -> throw cause;
                    default -> throw e;
                }
            }
        }

        @Override
        public void close() {
            synchronized (Cache.this) {
                pins--;
                Cache.this.notifyAll();
            }
        }
    }

    /// Brings the content of an entry.
    @FunctionalInterface
    interface Loading {
        /// @param room all of it is filled
        void into(MemorySegment room) throws IOException;
    }

    /// Looks after what has to go since there is no room for it any more.
    @FunctionalInterface
    interface Leaving {
        /// @param values of a chunk
        /// @param whole whether as much was copied from it as it holds
        void leaves(Key key, MemorySegment content, MemorySegment values, boolean whole);
    }

    /// @param size of the memory in bytes
    Cache(long size, Leaving leaving) throws IOException {
        this.slab = new Slab(size);
        this.leaving = leaving;
    }

    /// {@return an entry, which is new if it was not there; pinned until it is closed}
    synchronized Entry pin(Key key) {
        Entry entry = entries.computeIfAbsent(key, Entry::new);
        entry.pins++;
        return entry;
    }

    /// {@return a new entry, pinned until it is closed, or null if there is one}
    synchronized @Nullable Entry pinNew(Key key) {
        return entries.containsKey(key) ? null : pin(key);
    }

    /// {@return an entry that somebody has claimed, pinned until it is closed, or null if there is none}
    synchronized @Nullable Entry pinClaimed(Key key) {
        Entry entry = entries.get(key);
        return entry == null || !entry.claimed ? null : pin(key);
    }

    /// Drops an entry that nobody has claimed, and nobody is about to.
    synchronized void dropUnclaimed(Entry entry) {
        if (!entry.claimed && entry.pins == 0) {
            entry.claimed = true;
            entries.remove(entry.key, entry);
        }
    }

    synchronized boolean holds(Key key) {
        return entries.containsKey(key);
    }

    /// Drops all entries of an image that nobody reads any more.
    synchronized void drop(Image image) {
        drop(entry -> entry.key.image.equals(image));
    }

    /// Drops the frames of a layer of an image, but for those that are in use.
    synchronized void drop(Image image, int layer) {
        drop(entry -> entry.key.image.equals(image) && entry.key.layer == layer);
    }

    private void drop(Predicate<Entry> which) {
        entries.values().removeIf(entry -> {
            boolean dropped = which.test(entry) && entry.pins == 0 && entry.content.isDone();
            if (dropped) {
                free(entry);
            }
            return dropped;
        });
        notifyAll();
    }

    private MemorySegment take(long size) {
        while (true) {
            Entry eldest;
            synchronized (this) {
                MemorySegment room = slab.take(size);
                if (room != null) {
                    return room;
                }
                eldest = removeEldest();
                if (eldest == null) {
                    awaitChange();
                    continue;
                }
            }
            if (!eldest.content.isCompletedExceptionally()) {
                MemorySegment content = eldest.content.join();
                leaving.leaves(eldest.key, content, eldest.values, eldest.taken >= content.byteSize());
            }
            synchronized (this) {
                free(eldest);
                notifyAll();
            }
        }
    }

    private @Nullable Entry removeEldest() {
        for (Iterator<Entry> eldest = entries.values().iterator(); eldest.hasNext(); ) {
            Entry entry = eldest.next();
            if (entry.pins == 0 && entry.content.isDone()) {
                eldest.remove();
                return entry;
            }
        }
        return null;
    }

    private void free(Entry entry) {
        if (entry.content.isDone() && !entry.content.isCompletedExceptionally()) {
            slab.free(entry.content.join());
        }
    }

    private void awaitChange() {
        boolean interrupted = false;
        try {
            wait();
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        slab.close();
    }
}
