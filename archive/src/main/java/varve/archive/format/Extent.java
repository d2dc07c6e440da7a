package varve.archive.format;

import java.lang.foreign.MemorySegment;

/// A row of the extent table: a run of whole blocks of one state that differ from the parent. FORMAT.md section 5.1.
///
/// @param first block
/// @param count of blocks, 1 or more
/// @param data whether the blocks are in the payload; otherwise they are zero
public record Extent(long first, long count, boolean data) {

    static final String TAG = "VARVEEXT";

    /// bytes of a row: `u64` first block, `u32` count, `u32` state
    public static final int SIZE = 16;

    /// FORMAT.md F034
    public static final long MAX_ROWS = 1L << 27;

    public Extent {
        if (first < 0 || count < 1 || count > 0xffff_ffffL) {
            throw new IllegalArgumentException("extent of " + count + " blocks at " + first);
        }
    }

    /// {@return the block after the last}
    public long end() {
        return first + count;
    }

    public void encode(MemorySegment to, long position) {
        Bytes.u64(to, position, first);
        Bytes.u32(to, position + 8, count);
        Bytes.u32(to, position + 12, data ? 1 : 0);
    }

    /// {@return the row at `position`}
    /// @throws CorruptException if it cannot be one, F015
    public static Extent decode(MemorySegment from, long position, String where) throws CorruptException {
        long first = Bytes.u64(from, position);
        long count = Bytes.u32(from, position + 8);
        long state = Bytes.u32(from, position + 12);
        if (first < 0 || count == 0 || state > 1) {
            throw new CorruptException(
                    Rule.F015, where, "state " + state + ", " + count + " blocks at block " + Long.toUnsignedString(first));
        }
        return new Extent(first, count, state == 1);
    }
}
