package varve.archive.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import varve.archive.hash.SubtreeHasher;

/// Little-endian integers, tags and checks of the binary structures.
final class Bytes {

    static final int CHECK_SIZE = 16;

    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Bytes() {}

    static int u8(MemorySegment from, long position) {
        return from.get(ValueLayout.JAVA_BYTE, position) & 0xff;
    }

    static int u16(MemorySegment from, long position) {
        return from.get(U16, position) & 0xffff;
    }

    static long u32(MemorySegment from, long position) {
        return from.get(U32, position) & 0xffff_ffffL;
    }

    static long u64(MemorySegment from, long position) {
        return from.get(U64, position);
    }

    static void u8(MemorySegment to, long position, int value) {
        to.set(ValueLayout.JAVA_BYTE, position, (byte) value);
    }

    static void u16(MemorySegment to, long position, int value) {
        to.set(U16, position, (short) value);
    }

    static void u32(MemorySegment to, long position, long value) {
        to.set(U32, position, (int) value);
    }

    static void u64(MemorySegment to, long position, long value) {
        to.set(U64, position, value);
    }

    static void tag(MemorySegment to, long position, String tag) {
        MemorySegment.copy(MemorySegment.ofArray(tag.getBytes(StandardCharsets.US_ASCII)), 0, to, position, 8);
    }

    static boolean hasTag(MemorySegment from, long position, String tag) {
        return from.byteSize() >= position + 8
                && from.asSlice(position, 8)
                                .mismatch(MemorySegment.ofArray(tag.getBytes(StandardCharsets.US_ASCII)))
                        < 0;
    }

    static boolean zero(MemorySegment from, long position, long size) {
        for (long i = position; i < position + size; i++) {
            if (u8(from, i) != 0) {
                return false;
            }
        }
        return true;
    }

    /// {@return the first 16 bytes of BLAKE3 of the first `size` bytes}
    static byte[] check(MemorySegment of, long size) {
        return Arrays.copyOf(new SubtreeHasher().whole(of.asSlice(0, size)).bytes(), CHECK_SIZE);
    }
}
