package varve.mounthelper.overlay;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import varve.archive.Branch;
import varve.archive.block.BlockTarget;
import varve.archive.block.DeviceException;
import varve.archive.block.Run;
import varve.archive.format.State;
import varve.mounthelper.image.Composed;
import varve.mounthelper.image.Origin;

/// A point in time that can be written: what is written goes to a file of its own, and what was not is read from the image.
///
/// **What a crash leaves.** After [#flush] all that was written before it is in the file, whatever happens. To that end nothing that
/// the file's table says is on the medium is ever written over: each block has two places, its content goes to the one that the
/// table does not name, and a flush (1) brings the places to the medium, (2) writes the rows of the table, which name them, and
/// (3) brings those to the medium. A crash before the end of (3) leaves some rows as they were and some as they were to be, and
/// both name places with what they should hold; a sector of the table, 512 bytes, is written by a disk whole or not at all.
/// A block that was written several times between two flushes is written over in its place, which no row on the medium
/// names yet. So, unlike with a bitmap and one place for each block, a row can hold the checksum of its block: what is
/// read of the overlay is compared with it, and a byte that has flipped in the file is an error and not data.
///
/// The price is that a block which is written again and again takes twice its size. Room is made sure of when something is
/// written (the first write to a page of the table writes zeros there), so that a full disk shows then, and not at the flush. If a flush fails all the
/// same, nobody knows what has arrived: then nothing is written any more until the overlay is attached again.
///
/// A block that was zeroed or discarded is a row without a place, and gives its places back after the flush.
///
/// **Who waits for whom.** Requests lock the blocks they touch ([Stripes]): a read must not find a block half written. Writes
/// run side by side, and a flush waits for those under way and keeps others out, but only for the last part: it first
/// brings most of the data to the medium while they go on. Several flushes at a time are one.
///
/// Safe for use by several threads, virtual ones too. Close it as often as it was attached and shared: the last time it is flushed, and
/// its file closed, and what it was given to close after it.
public final class Overlay implements BlockTarget, Composed, Branch {

    private static final int BLOCK = OverlayFile.BLOCK;
    private static final int PIECE = 4096; // blocks that are zeroed at a time
    private static final int MOST_CHANGED = 16384; // sectors of the table in memory
    private static final MemorySegment ZEROS = Arena.global().allocate(BLOCK).asReadOnly();

    private final Composed image;
    private final Closeable owned;
    private final OverlayFile file;
    private final BlockTable table;
    private final long size;
    private final Stripes stripes = new Stripes();
    private final ReadWriteLock commit = new ReentrantReadWriteLock(true); // writes share it
    private final AtomicLong writes = new AtomicLong();
    private long flushed; // as many of them; guarded by the lock of commits
    private final AtomicInteger users = new AtomicInteger(1);
    private volatile @Nullable IOException broken;

    private Overlay(Composed image, OverlayFile file, Closeable owned) throws IOException {
        this.image = image;
        this.owned = owned;
        this.file = file;
        this.size = image.size();
        this.table = new BlockTable(file);
    }

    /// Attaches an overlay to the image of the state that it is on; makes it if there is no such file.
    ///
    /// @param state of the image
    /// @param now when it is made, if it is
    /// @param owned closed in the end, but not if this fails: the image and what that needs
    public static Overlay attach(Path path, Composed image, State state, Instant now, Closeable owned) throws IOException {
        OverlayFile file = OverlayFile.attach(path, new OverlayHeader(state, image.name(), now));
        try {
            return new Overlay(image, file, owned);
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    /// {@return this, for one more who closes it}
    public Overlay share() {
        users.incrementAndGet();
        return this;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public String name() {
        return image.name() + " with " + file.path();
    }

    private void check(long offset, long count) {
        if (offset < 0 || count < 0 || count > size - offset) {
            throw new IndexOutOfBoundsException(count + " bytes at " + offset + " of " + size);
        }
    }

    private static long first(long offset) {
        return offset / BLOCK;
    }

    private static long count(long offset, long bytes) {
        return (offset + bytes - 1) / BLOCK - first(offset) + 1;
    }

    // ---- reading

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        check(offset, into.byteSize());
        if (into.byteSize() == 0) {
            return;
        }
        long first = first(offset);
        long count = count(offset, into.byteSize());
        try (Stripes.Held _ = stripes.reading(first, count)) {
            long[] rows = rows(first, count);
            for (int from = 0, to; from < rows.length; from = to) {
                for (to = from + 1; to < rows.length && together(rows[from], rows[to]); to++) {}
                long start = Math.max(offset, (first + from) * BLOCK);
                long end = Math.min(offset + into.byteSize(), (first + to) * BLOCK);
                MemorySegment part = into.asSlice(start - offset, end - start);
                if (rows[from] == 0) {
                    image.read(start, part);
                } else if (rows[from] == BlockTable.ZERO) {
                    part.fill((byte) 0);
                } else {
                    readData(start, part, first + from, rows, from);
                }
            }
        }
    }

    private long[] rows(long first, long count) throws IOException {
        long[] rows = new long[Math.toIntExact(count)];
        table.rows(first, rows);
        return rows;
    }

    /// {@return whether blocks with these rows, one after the other, are read in one go}
    private static boolean together(long row, long next) {
        boolean data = BlockTable.isData(row);
        return data == BlockTable.isData(next) && (data ? BlockTable.place(row) == BlockTable.place(next) : row == next);
    }

    /// @param block the first one, whose row is `rows[row]`; all of them are in the same of their places
    private void readData(long offset, MemorySegment into, long block, long[] rows, int row) throws IOException {
        long end = offset + into.byteSize();
        for (long at = offset, next; at < end; at = next) {
            next = pieceEnd(at, end);
            MemorySegment piece = into.asSlice(at - offset, next - at);
            int here = (int) (row + first(at) - block);
            if (whole(at, next)) {
                file.read(file.place(first(at), BlockTable.place(rows[here])), piece);
                for (int i = 0; i * (long) BLOCK < piece.byteSize(); i++) {
                    prove(first(at) + i, piece.asSlice((long) i * BLOCK, BLOCK), rows[here + i]);
                }
            } else {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment all = arena.allocate(BLOCK);
                    readBlock(first(at), all, rows[here]);
                    MemorySegment.copy(all, at % BLOCK, piece, 0, piece.byteSize());
                }
            }
        }
    }

    /// {@return how far one goes from `at`: as many whole blocks as there are before `end`, or a part of one}
    private static long pieceEnd(long at, long end) {
        return at % BLOCK == 0 && end - at >= BLOCK ? end / BLOCK * BLOCK : Math.min(end, (first(at) + 1) * BLOCK);
    }

    private static boolean whole(long from, long to) {
        return from % BLOCK == 0 && to % BLOCK == 0;
    }

    /// Fills `all` with a block; what is beyond the end of the device is zero.
    private void readBlock(long block, MemorySegment all, long row) throws IOException {
        if (BlockTable.isData(row)) {
            file.read(file.place(block, BlockTable.place(row)), all);
            prove(block, all, row);
        } else {
            all.fill((byte) 0);
            if (row == 0) {
                image.read(block * BLOCK, all.asSlice(0, length(block)));
            }
        }
    }

    private void prove(long block, MemorySegment bytes, long row) throws DeviceException {
        if (crc(bytes) != BlockTable.crc(row)) {
            throw new DeviceException(file.path() + ": the block at " + block * BLOCK + " of the device is not what was written: expected CRC-32C "
                    + Integer.toHexString(BlockTable.crc(row)) + ", found " + Integer.toHexString(crc(bytes)) + "; write it anew, or discard the overlay");
        }
    }

    private static int crc(MemorySegment block) {
        CRC32C crc = new CRC32C();
        crc.update(block.asByteBuffer());
        return (int) crc.getValue();
    }

    @Override
    public void expect(long offset, long count) throws IOException {
        image.expect(offset, count);
    }

    // ---- writing

    @Override
    public void write(long offset, MemorySegment from) throws IOException {
        check(offset, from.byteSize());
        if (from.byteSize() == 0) {
            return;
        }
        change(first(offset), count(offset, from.byteSize()), () -> {
            long end = offset + from.byteSize();
            for (long at = offset, next; at < end; at = next) {
                next = pieceEnd(at, end);
                MemorySegment piece = from.asSlice(at - offset, next - at);
                if (whole(at, next)) {
                    writeBlocks(first(at), piece);
                } else {
                    writePart(at, piece);
                }
            }
        });
    }

    /// What changes some blocks.
    @FunctionalInterface
    private interface Change {
        void run() throws IOException;
    }

    private void change(long first, long count, Change change) throws IOException {
        Lock writing = commit.readLock();
        writing.lock();
        try (Stripes.Held _ = stripes.writing(first, count)) {
            checkUsable();
            change.run();
        } finally {
            writes.incrementAndGet();
            writing.unlock();
        }
        if (table.changedSectors() > MOST_CHANGED) {
            flush();
        }
    }

    /// Writes a part of a block; the last one of a device may be cut, and is filled up with zeros.
    private void writePart(long offset, MemorySegment from) throws IOException {
        long block = first(offset);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(BLOCK);
            if (from.byteSize() < length(block)) {
                readBlock(block, all, rows(block, 1)[0]);
            }
            MemorySegment.copy(from, 0, all, offset % BLOCK, from.byteSize());
            writeBlocks(block, all);
        }
    }

    /// {@return bytes of the device that are in a block}
    private long length(long block) {
        return Math.min(BLOCK, size - block * BLOCK);
    }

    private void writeBlocks(long first, MemorySegment from) throws IOException {
        int count = (int) (from.byteSize() / BLOCK);
        long[] rows = new long[count];
        table.reserve(first, count);
        for (int i = 0; i < count; i++) {
            rows[i] = BlockTable.data(crc(from.asSlice((long) i * BLOCK, BLOCK)), table.freePlace(first + i));
        }
        for (int at = 0, to; at < count; at = to) {
            for (to = at + 1; to < count && together(rows[at], rows[to]); to++) {}
            file.write(file.place(first + at, BlockTable.place(rows[at])), from.asSlice((long) at * BLOCK, (long) (to - at) * BLOCK));
        }
        table.change(first, rows);
    }

    @Override
    public void zero(long offset, long bytes, boolean allocated) throws IOException {
        check(offset, bytes);
        long end = offset + bytes;
        for (long at = offset, next; at < end; at = next) {
            next = Math.min(end, (first(at) + PIECE) * BLOCK);
            zeroPiece(at, next, allocated);
        }
    }

    private void zeroPiece(long offset, long end, boolean allocated) throws IOException {
        change(first(offset), count(offset, end - offset), () -> {
            for (long at = offset, next; at < end; at = next) {
                next = Math.min(end, (first(at) + 1) * BLOCK);
                Run run = runAt(at, end - at);
                if (run.zero() && !allocated) {
                    next = at + run.size();
                } else if (next - at < length(first(at))) {
                    writePart(at, ZEROS.asSlice(0, next - at));
                } else if (allocated) {
                    writeBlocks(first(at), ZEROS);
                } else {
                    table.reserve(first(at), 1);
                    table.change(first(at), new long[] {BlockTable.ZERO});
                }
            }
        });
    }

    /// Discarded blocks read as zeros; those that are discarded in part stay as they are.
    @Override
    public void discard(long offset, long bytes) throws IOException {
        check(offset, bytes);
        long end = offset + bytes == size ? size : (offset + bytes) / BLOCK * BLOCK;
        long start = (offset + BLOCK - 1) / BLOCK * BLOCK;
        if (end > start) {
            zero(start, end - start, false);
        }
    }

    // ---- to the medium

    @Override
    public void flush() throws IOException {
        checkUsable();
        long wanted = writes.get();
        Lock alone = commit.writeLock();
        if (wanted > flushed()) {
            force(); // most of it, while others write
        }
        alone.lock();
        try {
            if (wanted > flushed) {
                long covered = writes.get();
                checkUsable();
                force();
                writeTable();
                flushed = covered;
            }
        } finally {
            alone.unlock();
        }
    }

    private long flushed() {
        commit.readLock().lock();
        try {
            return flushed;
        } finally {
            commit.readLock().unlock();
        }
    }

    private void force() throws IOException {
        try {
            file.force();
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private void writeTable() throws IOException {
        if (table.changedSectors() == 0) {
            return;
        }
        try {
            table.write();
            file.force();
        } catch (IOException e) {
            throw broken(e);
        }
        Punch punch = new Punch();
        table.settle(punch);
        punch.end();
    }

    private IOException broken(IOException e) {
        broken = e;
        return e;
    }

    private void checkUsable() throws IOException {
        IOException why = broken;
        if (why != null) {
            throw new DeviceException(file.path() + ": not written any more since a flush has failed; what was flushed before is safe: end the "
                    + "server and attach the overlay again (" + why.getMessage() + ")", why);
        }
    }

    /// Gives back the places of blocks, many in a row at once.
    private final class Punch implements LongConsumer {

        private long first;
        private long count;

        @Override
        public void accept(long block) {
            if (count > 0 && block == first + count) {
                count++;
                return;
            }
            end();
            first = block;
            count = 1;
        }

        void end() {
            if (count > 0) {
                file.punch(file.place(first, 0), count * BLOCK);
                file.punch(file.place(first, 1), count * BLOCK);
            }
            count = 0;
        }
    }

    // ---- what the tables say

    @Override
    public Run runAt(long offset, long most) throws IOException {
        check(offset, most);
        long block = first(offset);
        long unwritten = Math.min(offset + most, table.writtenFrom(block) * BLOCK);
        if (unwritten > offset) {
            return image.runAt(offset, unwritten - offset);
        }
        long row = rows(block, 1)[0];
        long end = sameUntil(block, row, offset + most);
        return row == 0 ? image.runAt(offset, end - offset) : new Run(end - offset, row == BlockTable.ZERO);
    }

    @Override
    public Origin originAt(long offset, long most) throws IOException {
        check(offset, most);
        long block = first(offset);
        long unwritten = Math.min(offset + most, table.writtenFrom(block) * BLOCK);
        if (unwritten > offset) {
            return image.originAt(offset, unwritten - offset);
        }
        long row = rows(block, 1)[0];
        long end = sameUntil(block, row, offset + most);
        return row == 0 ? image.originAt(offset, end - offset) : new Origin(end - offset, row == BlockTable.ZERO, 0);
    }

    /// {@return where the blocks end of which the table says the same as of `block`, at most `end`}
    private long sameUntil(long block, long row, long end) throws IOException {
        long[] rows = new long[OverlayFile.ROWS];
        long stop = (end + BLOCK - 1) / BLOCK;
        for (long at = block + 1; at < stop; ) {
            long[] next = at + rows.length <= stop ? rows : new long[(int) (stop - at)];
            table.rows(at, next);
            for (long each : next) {
                if (BlockTable.isData(row) != BlockTable.isData(each) || !BlockTable.isData(row) && row != each) {
                    return at * BLOCK;
                }
                at++;
            }
        }
        return end;
    }

    @Override
    public State base() {
        return file.header().state();
    }

    @Override
    public String point() {
        return file.header().point();
    }

    @Override
    public void changes(Ranges ranges) throws IOException {
        long[] rows = new long[OverlayFile.ROWS];
        for (long block = table.writtenFrom(0); block < file.blocks(); block = table.writtenFrom(block + rows.length)) {
            table.rows(block, rows);
            for (int i = 0; i < rows.length; i++) {
                if (rows[i] != 0) {
                    ranges.add((block + i) * BLOCK, length(block + i));
                }
            }
        }
    }

    @Override
    public long dataFrom(long offset) throws IOException {
        for (long at = offset; at < size; ) {
            Run run = runAt(at, size - at);
            if (!run.zero()) {
                return at;
            }
            at += run.size();
        }
        return size;
    }

    @Override
    public long dataUntil(long offset) throws IOException {
        for (long at = offset; at < size; ) {
            Run run = runAt(at, size - at);
            if (run.zero()) {
                return at;
            }
            at += run.size();
        }
        return size;
    }

    @Override
    public void close() throws IOException {
        if (users.decrementAndGet() > 0) {
            return;
        }
        try (owned; file) {
            if (broken == null) {
                flush();
            }
        }
    }
}
