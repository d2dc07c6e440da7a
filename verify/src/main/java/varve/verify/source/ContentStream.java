package varve.verify.source;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;
import varve.verify.work.Crew;
import varve.verify.work.Rooms;

/// The content of a point in time from its beginning to its end, each chunk proved by its hash.
///
/// Several threads decode; the bytes come in order, on the calling thread.
final class ContentStream {

    private static final long PIECE = 1 << 20;

    private final Chain chain;
    private final Geometry geometry;
    private final int threads;

    /// Takes the content, in order and without a gap.
    interface Taker {
        void data(long offset, MemorySegment bytes) throws IOException;

        void zeros(long offset, long size) throws IOException;

        /// Bytes that cannot be had.
        void missing(long offset, long size, IOException why) throws IOException;
    }

    /// Some chunks of data, or a zero node.
    private record Run(long chunk, long count, boolean zero) {}

    /// What was read of a run.
    ///
    /// @param room that holds it, to be given back
    /// @param good how many chunks of it could be read; the one behind could not
    private record Read(Run run, @Nullable MemorySegment room, long good, @Nullable IOException failure) {}

    ContentStream(Chain chain, int threads) {
        this.chain = chain;
        this.geometry = chain.geometry();
        this.threads = threads;
    }

    void run(Taker taker) throws IOException {
        try (Rooms rooms = new Rooms();
                Crew<Bench> crew = new Crew<>(threads, () -> new Bench(chain))) {
            crew.run(new Runs(), (bench, run) -> read(bench, run, rooms), read -> {
                hand(read, taker);
                if (read.room != null) {
                    rooms.giveBack(read.room);
                }
            });
        }
    }

    private static final class Bench implements Crew.Bench {
        final ChainReader reader;

        Bench(Chain chain) {
            this.reader = new ChainReader(chain);
        }

        @Override
        public void close() {
            reader.close();
        }
    }

    private final class Runs implements Iterator<Run> {
        private long chunk;

        @Override
        public boolean hasNext() {
            return chunk < geometry.chunks();
        }

        @Override
        public Run next() {
            try {
                long first = chunk;
                Node node = chain.find(first).node();
                if (node.zero()) {
                    chunk = node.end();
                    return new Run(first, chunk - first, true);
                }
                long most = Math.max(1, PIECE >>> geometry.chunkLog());
                do {
                    chunk++;
                } while (chunk < geometry.chunks() && chunk - first < most && !chain.find(chunk).node().zero());
                return new Run(first, chunk - first, false);
            } catch (CorruptException e) {
                throw new IllegalStateException(e); // the chain was proved to cover the device
            }
        }
    }

    private Read read(Bench bench, Run run, Rooms rooms) throws InterruptedIOException {
        if (run.zero) {
            return new Read(run, null, run.count, null);
        }
        MemorySegment room = rooms.take(geometry.length(run.chunk, run.count));
        for (long done = 0; done < run.count; done++) {
            try {
                MemorySegment into = room.asSlice(done << geometry.chunkLog(), geometry.length(run.chunk + done, 1));
                bench.reader.read(run.chunk + done, into);
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                return new Read(run, room, done, e);
            }
        }
        return new Read(run, room, run.count, null);
    }

    private void hand(Read read, Taker taker) throws IOException {
        Run run = read.run;
        long offset = geometry.offset(run.chunk);
        if (run.zero) {
            taker.zeros(offset, geometry.length(run.chunk, run.count));
            return;
        }
        if (read.good > 0) {
            taker.data(offset, read.room.asSlice(0, geometry.length(run.chunk, read.good)));
        }
        if (read.failure != null) {
            long bad = run.chunk + read.good;
            taker.missing(geometry.offset(bad), geometry.length(bad, 1), read.failure);
            long rest = run.count - read.good - 1;
            if (rest > 0) { // each by itself, on this thread: damage is rare
                try (Rooms rooms = new Rooms();
                        Bench bench = new Bench(chain)) {
                    hand(read(bench, new Run(bad + 1, rest, false), rooms), taker);
                }
            }
        }
    }
}
