package varve.archive.changes;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import varve.archive.block.FileDevice;

/// The exception table of a persistent dm-snapshot store: which chunks of the origin were overwritten since the snapshot was taken,
/// and where in the store their old content is.
///
/// Little-endian (kernel, `drivers/md/dm-snap-persistent.c`). Chunk 0 is the header:
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SnAp` |
/// | 4 | 4 | 1 while the store is valid, 0 once it overflowed or was dropped |
/// | 8 | 4 | version, 1 |
/// | 12 | 4 | chunk size C in sectors of 512 bytes, a power of two |
///
/// Then areas: one chunk of `C / 16` entries (`u64` chunk of the origin, `u64` chunk of the store), followed by as many chunks of
/// data. The first entry whose chunk of the store is 0 ends the table. A block device is read with direct I/O, since the buffer
/// cache of a store in use is stale.
public final class SnapshotStore {

    private static final int MAGIC = 0x70416e53;
    private static final int HEADER = 4096;
    private static final int SECTOR = 512;
    private static final int ENTRY = 16;
    private static final int MIN_CHUNK = 4096;
    private static final int MAX_CHUNK = 16 << 20;

    private static final ValueLayout.OfInt U32 = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private SnapshotStore() {}

    /// Takes the entries of the table, in their order.
    @FunctionalInterface
    public interface Visitor {
        /// @param offset in the origin
        /// @param length one chunk, which may reach past the end of the origin
        /// @param position in the store of what was there
        void copied(long offset, long length, long position) throws IOException;
    }

    /// @throws IllegalArgumentException if it is no valid store, or lists chunks that the device does not have
    static void read(Path file, ChangeList list) throws IOException {
        try (FileDevice store = FileDevice.open(file)) {
            read(store, list.size(), (offset, length, position) -> list.add(offset, length));
        }
    }

    /// Reads the table.
    ///
    /// @param size of the origin
    /// @throws IllegalArgumentException if it is no valid store, or lists chunks that the origin does not have
    public static void read(FileDevice store, long size, Visitor visitor) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int chunk = chunkSize(store, arena);
            MemorySegment area = arena.allocate(chunk, 4096);
            long perArea = chunk / ENTRY;
            for (long at = 1; ; at += perArea + 1) {
                long position = Math.multiplyExact(at, chunk);
                if (position > store.size() - chunk) {
                    throw new IllegalArgumentException("cut off: the exception table goes on at " + position + ", the store ends at " + store.size());
                }
                store.read(position, area);
                for (long entry = 0; entry < perArea; entry++) {
                    long old = area.get(U64, entry * ENTRY);
                    long copy = area.get(U64, entry * ENTRY + 8);
                    if (copy == 0) {
                        return;
                    }
                    check(position + entry * ENTRY, old, copy, chunk, perArea, store.size(), size);
                    visitor.copied(old * chunk, chunk, copy * chunk);
                }
            }
        }
    }

    private static int chunkSize(FileDevice store, Arena arena) throws IOException {
        if (store.size() < HEADER) {
            throw new IllegalArgumentException("expected the store of a snapshot, found " + store.size() + " bytes");
        }
        MemorySegment header = arena.allocate(HEADER, 4096);
        store.read(0, header);
        int magic = header.get(U32, 0);
        if (magic != MAGIC) {
            throw new IllegalArgumentException(magic == 0
                    ? "the store was never used; is it the -cow device of a persistent snapshot?"
                    : "expected the magic SnAp, found " + Integer.toHexString(Integer.reverseBytes(magic)));
        }
        if (header.get(U32, 4) != 1) {
            throw new IllegalArgumentException("the snapshot is invalid: it overflowed or was dropped, so its list is not complete");
        }
        if (header.get(U32, 8) != 1) {
            throw new IllegalArgumentException("expected version 1 of the store, found " + Integer.toUnsignedString(header.get(U32, 8)));
        }
        long size = Integer.toUnsignedLong(header.get(U32, 12)) * SECTOR;
        if (Long.bitCount(size) != 1 || size < MIN_CHUNK || size > MAX_CHUNK) {
            throw new IllegalArgumentException("expected a chunk size of 4 KiB to 16 MiB, a power of two, found " + size + " bytes");
        }
        return (int) size;
    }

    private static void check(long position, long old, long copy, int chunk, long perArea, long storeSize, long deviceSize) {
        long chunks = (deviceSize + chunk - 1) / chunk;
        if (Long.compareUnsigned(old, chunks) >= 0) {
            throw new IllegalArgumentException("the entry at " + position + " is of chunk " + Long.toUnsignedString(old) + ", the device has "
                    + chunks + ": it is the store of another device");
        }
        boolean metadata = copy % (perArea + 1) == 1;
        if (Long.compareUnsigned(copy, storeSize / chunk) >= 0 || metadata) {
            throw new IllegalArgumentException("the entry at " + position + " says that its copy is chunk " + Long.toUnsignedString(copy)
                    + " of the store, " + (metadata ? "which is part of the table" : "which has " + storeSize / chunk));
        }
    }
}
