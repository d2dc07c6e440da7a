package varve.archive.foreign;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import varve.archive.Branch;
import varve.archive.block.BlockSource;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.changes.ChangeList;
import varve.archive.format.State;

/// A device as a patch makes it out of its parent. Nothing is copied: what is read comes from the patch or from the parent.
///
/// Safe for use by several threads. Closing it closes nothing.
final class PatchedDevice implements Branch {

    private static final int BLOCK = Geometry.BLOCK_SIZE;

    private final @Nullable BlockSource parent;
    private final FileDevice patch;
    private final PatchTable table;
    private final ChangeList changes;
    private final State base;
    private final String point;
    private final long size;
    private final long parentSize;

    /// @param parent null if that is a device of zeros
    /// @param table filled; this device is of no use any more when more is written to it
    /// @param base the state from which it differs in what the table calls recent; [State#NOTHING] if it may differ in all
    /// @param point what the point is called that has this state
    PatchedDevice(@Nullable BlockSource parent, FileDevice patch, PatchTable table, State base, String point) {
        this.parent = parent;
        this.patch = patch;
        this.table = table;
        this.changes = table.all();
        this.base = base;
        this.point = point;
        this.size = table.size();
        this.parentSize = parent == null ? 0 : Math.min(parent.size(), size);
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public String name() {
        return patch.name();
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        if (into.byteSize() == 0) {
            return;
        }
        long first = offset >>> Geometry.BLOCK_LOG;
        long end = offset + into.byteSize();
        long[] entries = new long[(int) ((end - 1 >>> Geometry.BLOCK_LOG) - first + 1)];
        table.entries(first, entries);
        for (int i = 0; i < entries.length; ) {
            int next = i + 1;
            while (next < entries.length && goesOn(entries, next)) {
                next++;
            }
            long from = Math.max(offset, first + i << Geometry.BLOCK_LOG);
            long to = Math.min(end, first + next << Geometry.BLOCK_LOG);
            run(entries[i], from, into.asSlice(from - offset, to - from));
            i = next;
        }
    }

    /// {@return whether a block can be read together with the one before it}
    private static boolean goesOn(long[] entries, int at) {
        long before = entries[at - 1];
        long entry = entries[at];
        return entry == before ? entry == PatchTable.AS_IN_PARENT || entry == PatchTable.ZERO
                : isData(before) && isData(entry) && PatchTable.position(entry) == PatchTable.position(before) + BLOCK;
    }

    private static boolean isData(long entry) {
        return entry != PatchTable.AS_IN_PARENT && (entry & 1) == 0;
    }

    private void run(long entry, long offset, MemorySegment into) throws IOException {
        if (entry == PatchTable.AS_IN_PARENT) {
            readParent(offset, into);
        } else if (entry == PatchTable.ZERO) {
            into.fill((byte) 0);
        } else if (isData(entry)) {
            patch.read(PatchTable.position(entry) + (offset & BLOCK - 1), into);
        } else {
            parts(entry, offset, into);
        }
    }

    /// Puts a block together that was written in parts, the newest first.
    private void parts(long newest, long offset, MemorySegment into) throws IOException {
        int start = (int) (offset & BLOCK - 1);
        int size = (int) into.byteSize();
        BitSet filled = new BitSet(size);
        long entry = newest;
        while (PatchTable.isFragment(entry) && filled.nextClearBit(0) < size) {
            PatchTable.Fragment part = table.fragment(entry);
            fill(filled, part.start() - start, part.start() + part.length() - start, into, (from, slice) -> {
                if (part.position() < 0) {
                    slice.fill((byte) 0);
                } else {
                    patch.read(part.position() + from + start - part.start(), slice);
                }
            });
            entry = part.before();
        }
        long below = entry;
        fill(filled, 0, size, into, (from, slice) -> run(below, offset + from, slice));
    }

    private interface Filler {
        void fill(long from, MemorySegment slice) throws IOException;
    }

    /// fills what of a range is not filled yet
    private static void fill(BitSet filled, int from, int to, MemorySegment into, Filler filler) throws IOException {
        int limit = (int) Math.min(to, into.byteSize());
        for (int at = filled.nextClearBit(Math.max(0, from)); at < limit; at = filled.nextClearBit(at)) {
            int next = filled.nextSetBit(at);
            int end = next < 0 ? limit : Math.min(limit, next);
            filler.fill(at, into.asSlice(at, end - at));
            filled.set(at, end);
        }
    }

    private void readParent(long offset, MemorySegment into) throws IOException {
        long inside = Math.max(0, Math.min(into.byteSize(), parentSize - offset));
        if (inside > 0) {
            parent.read(offset, into.asSlice(0, inside));
        }
        into.asSlice(inside).fill((byte) 0);
    }

    @Override
    public long dataFrom(long offset) throws IOException {
        for (long at = offset; at < size; ) {
            if (changes.listedFrom(at) == at) {
                if (!table.inZeroRegion(at)) {
                    return at;
                }
                at = PatchTable.regionEnd(at);
            } else {
                long data = at < parentSize ? parent.dataFrom(at) : size;
                long next = Math.min(data >= parentSize ? size : data, changes.listedFrom(at));
                if (next == at) {
                    return at;
                }
                at = next;
            }
        }
        return size;
    }

    @Override
    public long dataUntil(long offset) throws IOException {
        long at = offset;
        while (at < size) {
            if (changes.listedFrom(at) == at) {
                if (table.inZeroRegion(at)) {
                    return at;
                }
                long end = changes.unlistedFrom(at);
                at = Math.min(end, PatchTable.regionEnd(at));
            } else if (at >= parentSize || parent.dataFrom(at) > at) {
                return at;
            } else {
                at = Math.min(Math.min(parent.dataUntil(at), parentSize), changes.listedFrom(at));
            }
        }
        return size;
    }

    @Override
    public State base() {
        return base;
    }

    @Override
    public String point() {
        return point;
    }

    @Override
    public void changes(Ranges ranges) throws IOException {
        ChangeList recent = table.recent();
        for (long at = recent.listedFrom(0); at < size; at = recent.listedFrom(recent.unlistedFrom(at))) {
            ranges.add(at, recent.unlistedFrom(at) - at);
        }
    }

    @Override
    public void checkSize() throws IOException {
        patch.checkSize();
    }

    @Override
    public void close() {}
}
