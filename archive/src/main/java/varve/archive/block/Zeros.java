package varve.archive.block;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Zero bytes: looking for anything else.
public final class Zeros {

    private Zeros() {}

    /// {@return whether all of `bytes` are zero}
    public static boolean only(MemorySegment bytes) {
        long size = bytes.byteSize();
        long position = 0;
        for (; position + 64 <= size; position += 64) {
            long any = 0;
            for (int i = 0; i < 64; i += 8) {
                any |= bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, position + i);
            }
            if (any != 0) {
                return false;
            }
        }
        for (; position < size; position++) {
            if (bytes.get(ValueLayout.JAVA_BYTE, position) != 0) {
                return false;
            }
        }
        return true;
    }
}
