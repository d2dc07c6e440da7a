package varve.mounthelper;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import varve.archive.Branch;

/// Reads what a branch has of its own, ranges that follow each other in one go, up to a buffer full.
///
/// Not thread-safe. Close it.
final class Batches implements AutoCloseable {

    static final long SIZE = 1 << 20;

    private final Branch branch;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(SIZE, Medium.PAGE);
    private long offset;
    private long size;

    /// Takes bytes of a branch.
    @FunctionalInterface
    interface Taker {
        /// @param bytes at a page's border in memory; they change with the next call
        void take(long offset, MemorySegment bytes) throws IOException;
    }

    Batches(Branch branch) {
        this.branch = branch;
    }

    /// Reads all of it.
    void forEach(Taker taker) throws IOException {
        branch.changes((from, count) -> {
            if (size > 0 && (from != offset + size || size + count > SIZE)) {
                take(taker);
            }
            offset = size == 0 ? from : offset;
            size += count;
        });
        take(taker);
    }

    private void take(Taker taker) throws IOException {
        if (size > 0) {
            MemorySegment bytes = buffer.asSlice(0, size);
            branch.read(offset, bytes);
            taker.take(offset, bytes);
            size = 0;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
