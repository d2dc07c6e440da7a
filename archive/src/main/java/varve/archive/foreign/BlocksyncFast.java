package varve.archive.foreign;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.List;

/// A delta of blocksync-fast.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 16 | `!BSF#DELTA`, padded with zeros |
/// | 16 | 8 | version, text |
/// | 24 | 8 | size of the device |
/// | 32 | 8 | block size |
/// | 40 | 8 | number of blocks |
/// | 48 | 8 | time |
/// | 56 | 8 | kind of digest, 0 |
/// | 64 | 448 | padding |
///
/// Then, until the end of the file, an offset of 8 bytes and a block; only the last block of the device may be shorter. Numbers have the
/// byte order of the machine that wrote it.
final class BlocksyncFast {

    private static final String MAGIC = "!BSF#DELTA\0\0\0\0\0\0";
    private static final int VERSION = 8;
    private static final int PADDING = 448;
    private static final long MAX_BLOCK = 1L << 30;

    private BlocksyncFast() {}

    static Step read(Cursor cursor, long parentSize, PatchSink sink) throws IOException {
        cursor.expect(MAGIC);
        cursor.skip(VERSION, "a version");
        long start = cursor.position();
        ByteOrder order = cursor.bits("the size of the device", ByteOrder.LITTLE_ENDIAN) == parentSize
                ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        cursor.back(start);
        long size = cursor.bits("the size of the device", order);
        if (size != parentSize) {
            cursor.back(start);
            throw cursor.wrong("expected a delta for a device of " + parentSize + " bytes as the parent has, found one for "
                    + Long.toUnsignedString(Long.reverseBytes(size)));
        }
        long block = cursor.u64("the block size", order);
        if (block == 0 || block > MAX_BLOCK) {
            throw cursor.wrong("expected a block size of 1 byte to 1 GiB, found " + block);
        }
        long blocks = cursor.u64("the number of blocks", order);
        if (blocks != (size + block - 1) / block) {
            throw cursor.wrong("expected " + (size + block - 1) / block + " blocks of " + block + " bytes, found " + blocks);
        }
        cursor.skip(16 + PADDING, "a header");
        while (!cursor.atEnd()) {
            long offset = cursor.u64("an offset", order);
            if (offset >= size || offset % block != 0) {
                throw cursor.wrong("expected the offset of a block of the device, found " + offset);
            }
            long length = Math.min(block, size - offset);
            sink.data(offset, length, cursor.skip(length, "a block"));
        }
        return Step.plain(List.of());
    }
}
