package varve.mounthelper.overlay;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import varve.archive.block.DeviceException;

/// What an overlay knows of each block: a row of 64 bits, 63 of them in a sector of 512 bytes of the file.
///
/// | bits of a row | what |
/// |---|---|
/// | 0 to 31 | CRC-32C of the block's 4096 bytes; 0 if they are zero |
/// | 32 | which of its two places holds it |
/// | 33 | all of it is zero, no place holds it |
/// | 63 | set; a row that is 0 is of a block that was never written |
///
/// The last 8 bytes of a sector are the CRC-32C of its number (8 bytes) and its rows, and bit 63; a sector of zeros has only
/// blocks that were never written. Numbers are little-endian.
///
/// Rows that were changed stay in memory until [#write]: then they are on their way to the medium, and [#settle] says that they
/// have arrived. Of the others the ones that were used lately are kept.
///
/// Safe for use by several threads.
final class BlockTable {

    static final long SET = 1L << 63;
    static final long ZERO = SET | 1L << 33;
    private static final int PLACE_BIT = 32;
    private static final long DATA_BITS = SET | 1L << PLACE_BIT | 0xffff_ffffL;

    private static final int PAGE_SECTORS = OverlayFile.BLOCK / OverlayFile.SECTOR;
    private static final int MOST_CLEAN = 8192; // sectors that are kept
    private static final int MOST_WRITTEN = 256; // sectors in one write
    private static final int ROWS = OverlayFile.ROWS;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final OverlayFile file;
    private final BitSet pages = new BitSet(); // of the table, those that take room
    private final TreeMap<Long, Sector> changed = new TreeMap<>();
    private final Map<Long, Sector> clean = new LinkedHashMap<>(256, 0.75f, true);

    /// @param now rows as they are
    /// @param settled rows as they are on the medium; the same array if nothing was changed
    private record Sector(long[] now, long[] settled) {
        static final Sector NEVER_WRITTEN = settled(new long[ROWS]);

        static Sector settled(long[] rows) {
            return new Sector(rows, rows);
        }
    }

    /// Opens the table of a file, and checks each sector of it.
    BlockTable(OverlayFile file) throws IOException {
        this.file = file;
        long end = file.sector(file.sectors());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(OverlayFile.BLOCK);
            for (long at = data(file.sector(0), end); at < end; at = data(at + OverlayFile.BLOCK, end)) {
                int number = (int) ((at - file.sector(0)) / OverlayFile.BLOCK);
                file.read(at, page);
                for (int i = 0; i < PAGE_SECTORS; i++) {
                    decode(page, i, (long) number * PAGE_SECTORS + i);
                }
                pages.set(number);
            }
        }
    }

    /// {@return the first page of the table from a position on that takes room, or `end`}
    private long data(long position, long end) throws IOException {
        long data = file.data(position);
        return data < 0 || data >= end ? end : Math.max(position, data / OverlayFile.BLOCK * OverlayFile.BLOCK);
    }

    static long data(int crc, int place) {
        return SET | (long) place << PLACE_BIT | Integer.toUnsignedLong(crc);
    }

    static boolean isData(long row) {
        return row != 0 && row != ZERO;
    }

    static int place(long row) {
        return (int) (row >>> PLACE_BIT) & 1;
    }

    static int crc(long row) {
        return (int) row;
    }

    /// Fills `rows` with those of the blocks from `first` on.
    synchronized void rows(long first, long[] rows) throws IOException {
        for (int done = 0; done < rows.length; ) {
            int from = (int) ((first + done) % ROWS);
            int count = Math.min(ROWS - from, rows.length - done);
            System.arraycopy(sector((first + done) / ROWS).now, from, rows, done, count);
            done += count;
        }
    }

    /// {@return the first block from `block` on that may have been written: the end of what is known to be none}
    synchronized long writtenFrom(long block) {
        long page = block / ROWS / PAGE_SECTORS;
        if (pages.get((int) page)) {
            return block;
        }
        int next = pages.nextSetBit((int) page);
        return next < 0 ? file.blocks() : Math.min(file.blocks(), (long) next * PAGE_SECTORS * ROWS);
    }

    /// {@return the place that the block's next content goes to: the one that is not on the medium}
    synchronized int freePlace(long block) throws IOException {
        long settled = sector(block / ROWS).settled[(int) (block % ROWS)];
        return isData(settled) ? 1 - place(settled) : 0;
    }

    /// Makes sure that there is room for the rows of some blocks, so that it is not missing when they go to the medium.
    synchronized void reserve(long first, long count) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int last = (int) ((first + count - 1) / ROWS / PAGE_SECTORS);
            for (int page = (int) (first / ROWS / PAGE_SECTORS); page <= last; page++) {
                if (!pages.get(page)) {
                    file.write(file.sector((long) page * PAGE_SECTORS), arena.allocate(OverlayFile.BLOCK));
                    pages.set(page);
                }
            }
        }
    }

    /// Changes rows, for which there is room.
    synchronized void change(long first, long[] rows) throws IOException {
        for (int done = 0; done < rows.length; ) {
            long index = (first + done) / ROWS;
            int from = (int) ((first + done) % ROWS);
            int count = Math.min(ROWS - from, rows.length - done);
            Sector sector = changed.get(index);
            if (sector == null) {
                long[] settled = sector(index).settled;
                sector = new Sector(settled.clone(), settled);
                clean.remove(index);
                changed.put(index, sector);
            }
            System.arraycopy(rows, done, sector.now, from, count);
            done += count;
        }
    }

    /// {@return how many sectors are changed}
    synchronized int changedSectors() {
        return changed.size();
    }

    /// Writes what was changed. Nobody may change anything until [#settle].
    void write() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sectors = arena.allocate((long) MOST_WRITTEN * OverlayFile.SECTOR);
            long first = -1;
            int count = 0;
            for (Map.Entry<Long, Sector> each : changed.entrySet()) {
                if (count > 0 && (each.getKey() != first + count || count == MOST_WRITTEN)) {
                    file.write(file.sector(first), sectors.asSlice(0, (long) count * OverlayFile.SECTOR));
                    count = 0;
                }
                first = count == 0 ? each.getKey() : first;
                encode(each.getValue().now, sectors, count++, each.getKey());
            }
            if (count > 0) {
                file.write(file.sector(first), sectors.asSlice(0, (long) count * OverlayFile.SECTOR));
            }
        }
    }

    /// What was written is on the medium.
    ///
    /// @param zeroed takes the blocks whose places are not needed any more
    synchronized void settle(LongConsumer zeroed) {
        changed.forEach((index, sector) -> {
            for (int i = 0; i < ROWS; i++) {
                if (sector.now[i] == ZERO && sector.settled[i] != ZERO) {
                    zeroed.accept(index * ROWS + i);
                }
            }
            keep(index, Sector.settled(sector.now));
        });
        changed.clear();
    }

    /// {@return how many blocks are data, and how many zero}
    synchronized long[] count() throws IOException {
        long[] counts = new long[2];
        long[] rows = new long[ROWS];
        for (long block = writtenFrom(0); block < file.blocks(); block = writtenFrom(block + ROWS)) {
            rows(block, rows);
            for (long row : rows) {
                counts[0] += isData(row) ? 1 : 0;
                counts[1] += row == ZERO ? 1 : 0;
            }
        }
        return counts;
    }

    private Sector sector(long index) throws IOException {
        Sector sector = changed.get(index);
        if (sector == null) {
            sector = clean.get(index);
        }
        return sector == null ? load(index) : sector;
    }

    private Sector load(long index) throws IOException {
        long first = index / PAGE_SECTORS * PAGE_SECTORS;
        if (!pages.get((int) (index / PAGE_SECTORS))) {
            return Sector.NEVER_WRITTEN;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(OverlayFile.BLOCK);
            file.read(file.sector(first), page);
            Sector loaded = Sector.settled(decode(page, (int) (index - first), index));
            keep(index, loaded);
            return loaded;
        }
    }

    private void keep(long index, Sector sector) {
        clean.put(index, sector);
        if (clean.size() > MOST_CLEAN) {
            clean.remove(clean.keySet().iterator().next());
        }
    }

    private static void encode(long[] rows, MemorySegment to, int slot, long index) {
        MemorySegment sector = to.asSlice((long) slot * OverlayFile.SECTOR, OverlayFile.SECTOR);
        for (int i = 0; i < ROWS; i++) {
            sector.set(U64, i * 8L, rows[i]);
        }
        sector.set(U64, ROWS * 8L, seal(sector, index));
    }

    private long[] decode(MemorySegment page, int slot, long index) throws DeviceException {
        MemorySegment sector = page.asSlice((long) slot * OverlayFile.SECTOR, OverlayFile.SECTOR);
        long[] rows = new long[ROWS];
        boolean blank = true;
        boolean known = true;
        for (int i = 0; i < ROWS; i++) {
            rows[i] = sector.get(U64, i * 8L);
            blank &= rows[i] == 0;
            known &= rows[i] == 0 || rows[i] == ZERO || (rows[i] & SET) != 0 && (rows[i] & ~DATA_BITS) == 0;
        }
        long seal = sector.get(U64, ROWS * 8L);
        if (!(blank && seal == 0) && !(known && seal == seal(sector, index))) {
            long offset = index * ROWS * OverlayFile.BLOCK;
            throw new DeviceException(file.path() + ": sector " + index + " of its table is damaged, so it is not known what was written from "
                    + offset + " to " + Math.min(file.header().state().size(), offset + (long) ROWS * OverlayFile.BLOCK)
                    + " of the device; take another copy of the overlay, or discard it");
        }
        return rows;
    }

    private static long seal(MemorySegment sector, long index) {
        CRC32C crc = new CRC32C();
        byte[] number = new byte[Long.BYTES];
        MemorySegment.ofArray(number).set(U64, 0, index);
        crc.update(number);
        crc.update(sector.asSlice(0, ROWS * 8L).asByteBuffer());
        return SET | crc.getValue();
    }
}
