package varve.archive.format;

import java.lang.foreign.MemorySegment;
import varve.archive.hash.Hash;

/// A row of the node table: a chunk, or an aligned group of zero chunks, with its hash and where its payload is.
/// FORMAT.md section 5.2.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | first chunk |
/// | 4 | 4 | zero flag (bit 31) and number of chunks |
/// | 8 | 8 | position of the frame |
/// | 16 | 4 | compressed size of the frame |
/// | 20 | 4 | content size of the frame |
/// | 24 | 4 | where the payload begins in the content |
/// | 28 | 4 | first extent row |
/// | 32 | 32 | hash |
///
/// @param chunk the first chunk
/// @param count of chunks, 1 for data
/// @param zero whether all bytes are zero
/// @param frame where the payload is; [Frame#NONE] if there is none
/// @param payloadAt where in the frame's content the payload of this node begins
/// @param extent row of the first extent
/// @param hash chaining value of the node, or the root if it is the only one
public record Node(long chunk, long count, boolean zero, Frame frame, int payloadAt, long extent, Hash hash) {

    static final String TAG = "VARVENOD";

    public static final int SIZE = 64;

    /// FORMAT.md F033
    public static final long MAX_ROWS = (1L << 26) - 1;

    private static final long ZERO = 1L << 31;

    /// A data frame as the node table names it.
    ///
    /// @param position in the file
    /// @param size compressed
    /// @param contentSize decompressed
    public record Frame(long position, int size, int contentSize) {

        public static final Frame NONE = new Frame(0, 0, 0);

        /// FORMAT.md F012
        public static final int MAX_CONTENT = 32 << 20;

        public static final int MAX_SIZE = 33 << 20;

        /// {@return the position after the last byte}
        public long end() {
            return position + size;
        }
    }

    /// {@return the chunk after the last}
    public long end() {
        return chunk + count;
    }

    public void encode(MemorySegment to, long position) {
        Bytes.u32(to, position, chunk);
        Bytes.u32(to, position + 4, count | (zero ? ZERO : 0));
        Bytes.u64(to, position + 8, frame.position);
        Bytes.u32(to, position + 16, frame.size);
        Bytes.u32(to, position + 20, frame.contentSize);
        Bytes.u32(to, position + 24, payloadAt);
        Bytes.u32(to, position + 28, extent);
        hash.write(to, position + 32);
    }

    /// {@return the row at `position`}
    /// @throws CorruptException if a frame is larger than any may be, F012
    public static Node decode(MemorySegment from, long position, String where) throws CorruptException {
        long count = Bytes.u32(from, position + 4);
        boolean zero = (count & ZERO) != 0;
        long size = Bytes.u32(from, position + 16);
        long contentSize = Bytes.u32(from, position + 20);
        long maxContent = zero ? 64L << 20 : Frame.MAX_CONTENT;
        if (size > Frame.MAX_SIZE || contentSize > maxContent) {
            throw new CorruptException(Rule.F012, where, contentSize + " bytes in " + size);
        }
        return new Node(
                firstChunk(from, position),
                count & ~ZERO,
                zero,
                new Frame(Bytes.u64(from, position + 8), (int) size, (int) contentSize),
                (int) Math.min(Integer.MAX_VALUE, Bytes.u32(from, position + 24)),
                Bytes.u32(from, position + 28),
                Hash.read(from, position + 32));
    }

    /// {@return the first chunk of the row at `position`, without decoding the rest}
    public static long firstChunk(MemorySegment from, long position) {
        return Bytes.u32(from, position);
    }

    /// {@return the chunk after the last of the row at `position`, without decoding the rest}
    public static long endChunk(MemorySegment from, long position) {
        return firstChunk(from, position) + (Bytes.u32(from, position + 4) & ~ZERO);
    }
}
