package varve.archive.foreign;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeList;

/// Where the bytes of a patched device are: for each block an entry of eight bytes, in a sparse file without a name.
///
/// | entry | the block |
/// |---|---|
/// | 0 | is as in the parent |
/// | 1 | is zero |
/// | even | is in the patch, at `entry / 2 - 1` |
/// | odd | is written in part: row `entry / 2 - 1` of the fragments, in a second such file |
///
/// A fragment is a part of a block, and has the entry that the block had before: so a block that is written in parts is a list of them, the
/// newest first, down to an entry that is none. Regions of 2 MiB that are zero as a whole are a bit in memory. So a patch
/// may be in any order and overlap itself, takes no memory to speak of, and no byte of its data is copied.
///
/// Filled by one thread; then read by any.
final class PatchTable implements PatchSink, Closeable {

    static final long AS_IN_PARENT = 0;
    static final long ZERO = 1;

    private static final int ENTRY = 8;
    private static final int FRAGMENT = 24;
    private static final int REGION_LOG = 21;
    private static final long REGION = 1L << REGION_LOG;
    private static final int BATCH = 4096;

    private final String name;
    private final long limit;
    private final FileChannel entries;
    private final FileChannel fragments;
    private final BitSet zeroRegions = new BitSet();
    private final ByteBuffer batch = ByteBuffer.allocateDirect(BATCH * ENTRY).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer row = ByteBuffer.allocateDirect(FRAGMENT).order(ByteOrder.LITTLE_ENDIAN);
    private ChangeList all;
    private ChangeList recent;
    private long size;
    private long rows;
    private long records;
    private long dataSize;
    private long zeroSize;

    /// A part of a block.
    ///
    /// @param before the entry of the block before it was written
    /// @param position of the bytes in the patch; -1 if they are zeros
    /// @param start in the block
    record Fragment(long before, long position, int start, int length) {}

    /// @param name of the patch, for messages
    /// @param size of the parent
    /// @param limit the most that a device may have
    /// @param scratch folder for the files
    PatchTable(String name, long size, long limit, Path scratch) throws IOException {
        this.name = name;
        this.size = size;
        this.limit = limit;
        this.all = new ChangeList(size);
        this.recent = new ChangeList(size);
        this.entries = nameless(scratch);
        try {
            this.fragments = nameless(scratch);
        } catch (Throwable e) {
            entries.close();
            throw e;
        }
    }

    private static FileChannel nameless(Path folder) throws IOException {
        Path file = Files.createTempFile(folder, ".varve-import-", "");
        return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE); // Linux: at once
    }

    long size() {
        return size;
    }

    /// {@return what may differ from the parent}
    ChangeList all() {
        return all;
    }

    /// {@return what was written since the table was new, or since [#forget]}
    ChangeList recent() {
        return recent;
    }

    /// Begins a new list of what is written from here on.
    void forget() {
        recent = new ChangeList(size);
    }

    private void note(long offset, long length) {
        all.add(offset, length);
        recent.add(offset, length);
    }

    /// {@return how many pieces of data or zeros there were}
    long records() {
        return records;
    }

    /// {@return bytes of data there were}
    long dataSize() {
        return dataSize;
    }

    /// {@return bytes of zeros there were}
    long zeroSize() {
        return zeroSize;
    }

    @Override
    public void resize(long newSize) throws IOException {
        if (newSize > limit) {
            throw new RefusedException(name + ": leads to a device of " + newSize + " bytes, and this volume can have " + limit
                    + " at most: import it into a new volume with a larger --chunk-size");
        }
        long old = size;
        if (newSize < old) {
            zeroBytes(newSize, old - newSize); // if it grows again, that is not what was there
        }
        size = newSize;
        all = resized(all, newSize);
        recent = resized(recent, newSize);
        if (newSize > old) {
            note(old, newSize - old);
        }
    }

    private static ChangeList resized(ChangeList list, long size) {
        ChangeList other = new ChangeList(size);
        for (long at = list.listedFrom(0); at < Math.min(size, list.size()); at = list.listedFrom(list.unlistedFrom(at))) {
            other.add(at, list.unlistedFrom(at) - at);
        }
        return other;
    }

    @Override
    public void data(long offset, long length, long position) throws IOException {
        if (offset > size || length > size - offset) {
            throw new RefusedException(name + ": writes " + length + " bytes at " + offset + ", past the end of the device, which has "
                    + size + " bytes: is it the patch of another device? nothing was recorded");
        }
        records++;
        dataSize += length;
        note(offset, length);
        for (long done = 0; done < length; ) {
            long at = offset + done;
            int start = (int) (at & (Geometry.BLOCK_SIZE - 1));
            long blocks = start == 0 ? length - done >>> Geometry.BLOCK_LOG : 0;
            if (blocks > 0) {
                done += whole(at >>> Geometry.BLOCK_LOG, blocks, position + done);
            } else {
                int part = (int) Math.min(Geometry.BLOCK_SIZE - start, length - done);
                fragment(at >>> Geometry.BLOCK_LOG, start, part, position + done);
                done += part;
            }
        }
    }

    @Override
    public void zero(long offset, long length) throws IOException {
        records++;
        if (offset < size) {
            zeroBytes(offset, Math.min(length, size - offset));
        }
    }

    private void zeroBytes(long offset, long length) throws IOException {
        zeroSize += length;
        note(offset, length);
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long left = length - done;
            int start = (int) (at & (Geometry.BLOCK_SIZE - 1));
            if ((at & (REGION - 1)) == 0 && left >= REGION) {
                zeroRegions.set((int) (at >>> REGION_LOG), (int) (at + left >>> REGION_LOG));
                done += left >>> REGION_LOG << REGION_LOG;
            } else if (start == 0 && left >= Geometry.BLOCK_SIZE) {
                long inRegion = Math.min(left, REGION - (at & (REGION - 1)));
                done += whole(at >>> Geometry.BLOCK_LOG, inRegion >>> Geometry.BLOCK_LOG, -1);
            } else {
                int part = (int) Math.min(Geometry.BLOCK_SIZE - start, left);
                fragment(at >>> Geometry.BLOCK_LOG, start, part, -1);
                done += part;
            }
        }
    }

    /// Writes entries of whole blocks.
    ///
    /// @param position of their bytes; -1 if they are zero
    /// @return bytes of them
    private long whole(long block, long count, long position) throws IOException {
        int some = (int) Math.min(BATCH, count);
        spell(block);
        spell(block + some - 1);
        long lastRegion = block + some - 1 >>> REGION_LOG - Geometry.BLOCK_LOG;
        for (int region = zeroRegions.nextSetBit((int) (block >>> REGION_LOG - Geometry.BLOCK_LOG));
                region >= 0 && region <= lastRegion;
                region = zeroRegions.nextSetBit(region + 1)) {
            zeroRegions.clear(region); // all of it is about to be written
        }
        batch.clear();
        for (int i = 0; i < some; i++) {
            batch.putLong(position < 0 ? ZERO : position + ((long) i << Geometry.BLOCK_LOG) + 1 << 1);
        }
        write(entries, batch.flip(), block * ENTRY);
        return (long) some << Geometry.BLOCK_LOG;
    }

    private void fragment(long block, int start, int length, long position) throws IOException {
        spell(block);
        row.clear().putLong(entry(block)).putLong(position).putInt(start).putInt(length);
        write(fragments, row.flip(), rows * FRAGMENT);
        batch.clear().putLong(rows + 1 << 1 | 1);
        write(entries, batch.flip(), block * ENTRY);
        rows++;
    }

    /// writes the entries of a region that was zero as a whole, since some of them will be something else
    private void spell(long block) throws IOException {
        int region = (int) (block >>> REGION_LOG - Geometry.BLOCK_LOG);
        if (zeroRegions.get(region)) {
            zeroRegions.clear(region);
            int count = 1 << REGION_LOG - Geometry.BLOCK_LOG;
            batch.clear();
            for (int i = 0; i < count; i++) {
                batch.putLong(ZERO);
            }
            write(entries, batch.flip(), (long) region * count * ENTRY);
        }
    }

    private long entry(long block) throws IOException {
        long[] one = new long[1];
        entries(block, one);
        return one[0];
    }

    /// Reads the entries of blocks from `block` on.
    void entries(long block, long[] into) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(into.length * ENTRY).order(ByteOrder.LITTLE_ENDIAN);
        read(entries, bytes, block * ENTRY);
        for (int i = 0; i < into.length; i++) {
            into[i] = inZeroRegion(block + i << Geometry.BLOCK_LOG) ? ZERO : bytes.getLong(i * ENTRY);
        }
    }

    static boolean isFragment(long entry) {
        return entry != ZERO && (entry & 1) != 0;
    }

    /// {@return where the bytes of a block that is in the patch are}
    static long position(long entry) {
        return (entry >>> 1) - 1;
    }

    Fragment fragment(long entry) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(FRAGMENT).order(ByteOrder.LITTLE_ENDIAN);
        read(fragments, bytes, ((entry >>> 1) - 1) * FRAGMENT);
        return new Fragment(bytes.getLong(0), bytes.getLong(8), bytes.getInt(16), bytes.getInt(20));
    }

    /// {@return whether an offset lies in a region that is zero as a whole}
    boolean inZeroRegion(long offset) {
        return zeroRegions.get((int) (offset >>> REGION_LOG));
    }

    /// {@return the end of the region of an offset}
    static long regionEnd(long offset) {
        return (offset >>> REGION_LOG) + 1 << REGION_LOG;
    }

    /// what is behind the end of the file was never written, as what is in its holes
    private static void read(FileChannel file, ByteBuffer into, long position) throws IOException {
        while (into.hasRemaining() && file.read(into, position + into.position()) >= 0) {
            // until it is full, or the file ends
        }
    }

    private void write(FileChannel file, ByteBuffer from, long position) throws IOException {
        try {
            for (long at = position; from.hasRemaining(); ) {
                at += file.write(from, at);
            }
        } catch (IOException e) {
            throw new DeviceException(name + ": no room for the table of its blocks: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        entries.close();
        fragments.close();
    }
}
