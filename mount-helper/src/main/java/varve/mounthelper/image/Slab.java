package varve.mounthelper.image;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import varve.archive.linux.Linux;

/// A fixed amount of native memory, handed out in pieces of any size and taken back in any order. The first fit is taken, so
/// that what lies at the end is touched, and becomes resident, only when it is needed.
///
/// Not thread-safe. Close it when no piece is in use.
public final class Slab implements AutoCloseable {

    private static final int UNIT = 64 << 10;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final int units;
    private final BitSet used = new BitSet();

    /// @param size in bytes
    public Slab(long size) throws IOException {
        this.units = count(size);
        this.memory = Linux.reserve((long) units * UNIT, arena);
    }

    /// {@return a piece, or null if there is no room for it in one place}
    public @Nullable MemorySegment take(long size) {
        int count = count(size);
        for (int from = used.nextClearBit(0); from + count <= units; ) {
            int next = used.nextSetBit(from);
            if (next < 0 || next - from >= count) {
                used.set(from, from + count);
                return memory.asSlice((long) from * UNIT, size);
            }
            from = used.nextClearBit(next);
        }
        return null;
    }

    /// Takes a piece back.
    public void free(MemorySegment piece) {
        int from = (int) ((piece.address() - memory.address()) / UNIT);
        used.clear(from, from + count(piece.byteSize()));
    }

    private static int count(long size) {
        return Math.toIntExact(Math.max(1, (size + UNIT - 1) / UNIT));
    }

    @Override
    public void close() {
        arena.close();
    }
}
