package varve.archive.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The one form in which a full stores a zero node: FORMAT.md section 4.2.
///
/// It is an ordinary zstd frame (RFC 8878 section 3.1.1) of run-length blocks, some 32 bytes per MiB. As it has
/// just one form it is compared, never decoded.
public final class ZeroFrame {

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAGIC = 0xFD2FB528;
    private static final int RUN = 1 << 17;
    private static final int HEAD = 4 + 2 + 4 + 3 + 1;

    private ZeroFrame() {}

    /// {@return the size of the frame of `size` zeros}
    /// @param size 1 to 64 MiB
    public static int encodedSize(long size) {
        return HEAD + Math.toIntExact((size - 1 + RUN - 1) / RUN) * 4;
    }

    /// Writes the frame of `size` zeros to the beginning of `frame`.
    ///
    /// @return the size of the frame
    public static int encode(long size, MemorySegment frame) {
        frame.set(INT, 0, MAGIC);
        frame.set(ValueLayout.JAVA_BYTE, 4, (byte) 0x80);
        frame.set(ValueLayout.JAVA_BYTE, 5, (byte) 0x38);
        frame.set(INT, 6, Math.toIntExact(size));
        int position = block(frame, 10, size == 1 ? 0x09 : 0x08);
        for (long left = size - 1; left > 0; left -= RUN) {
            long run = Math.min(left, RUN);
            position = block(frame, position, (int) (run << 3 | 1 << 1 | (left <= RUN ? 1 : 0)));
        }
        return position;
    }

    /// {@return whether `frame` is the frame of `size` zeros}
    /// @param scratch at least [#encodedSize] bytes
    public static boolean is(long size, MemorySegment frame, MemorySegment scratch) {
        return frame.byteSize() == encodedSize(size)
                && frame.mismatch(scratch.asSlice(0, encode(size, scratch))) < 0;
    }

    private static int block(MemorySegment frame, int position, int header) {
        frame.set(INT, position, header); // the fourth byte is the 0 that follows
        return position + 4;
    }
}
