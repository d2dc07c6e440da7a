package varve.archive;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Feed;
import varve.archive.block.Geometry;
import varve.archive.block.Zeros;
import varve.archive.chain.ChainReader;
import varve.archive.changes.ChangeList;
import varve.archive.codec.FrameEncoder;
import varve.archive.file.Hints;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.hash.Hash;

/// What one worker does with a piece of the device: read it, look for zeros, hash it, compare it with the parent, and in a
/// full compress it while it is still in the caches.
///
/// For one thread at a time; the owner lends it out.
final class Scan extends Press {

    /// bytes between two listed blocks that cost less to read than another call
    private static final long SMALL_GAP = 2 * Geometry.BLOCK_SIZE;

    private final Feed feed;
    private final int chunkLog;
    private final @Nullable ParentView parent;
    private final @Nullable ChangeList listed;
    private @Nullable ChainReader parentReader;
    private long inDecoded = -1; // the chunk whose content in the parent is in `decoded`

    /// A chunk of a piece.
    ///
    /// @param length in bytes
    /// @param verdict what it is
    /// @param hash of data
    /// @param frame of data in a full, in the slot's `frames`
    /// @param extents of data in a delta: what differs from the parent
    record Chunk(
            long number,
            long length,
            Verdict verdict,
            @Nullable Hash hash,
            @Nullable MemorySegment frame,
            List<Extent> extents) {}

    enum Verdict {
        SAME,
        ZERO,
        DATA
    }

    /// Memory for one piece on its way, lent to a worker and back.
    static final class Slot {
        final MemorySegment bytes;
        final MemorySegment frames;

        Slot(SegmentAllocator memory, int unit, int chunkSize, boolean full) {
            bytes = memory.allocate(unit, 4096);
            frames = memory.allocate(full ? (unit / chunkSize) * FrameEncoder.bound(chunkSize) : 1, 4096);
        }
    }

    /// @param parent of a delta; null for a full
    /// @param largestContent of a frame
    /// @param reused counts bytes of frames that an interrupted run had made
    /// @param listed what of the device is to be read, the rest being as in the parent; null for all
    Scan(
            Feed feed,
            int chunkLog,
            @Nullable ParentView parent,
            Hints hints,
            int level,
            long largestContent,
            LongAdder reused,
            @Nullable ChangeList listed) {
        super(hints, level, largestContent, parent == null ? 0 : 1L << chunkLog, reused);
        this.listed = listed;
        this.feed = feed;
        this.chunkLog = chunkLog;
        this.parent = parent;
    }

    /// Looks at a piece of data.
    ///
    /// @param single whether the device has just this one chunk
    List<Chunk> scan(Feed.Piece piece, Slot slot, boolean single) throws IOException {
        MemorySegment room = slot.bytes.asSlice(0, piece.size());
        if (listed == null) {
            feed.load(piece, room);
        }
        List<Chunk> chunks = new ArrayList<>();
        long framesEnd = 0;
        for (long done = 0; done < piece.size(); done += 1L << chunkLog) {
            long number = (piece.offset() + done) >>> chunkLog;
            MemorySegment bytes = room.asSlice(done, Math.min(1L << chunkLog, piece.size() - done));
            if (listed != null) {
                loadListed(listed, number, bytes);
            }
            Chunk chunk = look(number, bytes, single, slot.frames.asSlice(framesEnd));
            framesEnd += chunk.frame == null ? 0 : chunk.frame.byteSize();
            chunks.add(chunk);
        }
        return chunks;
    }

    /// Puts a chunk together from what the parent has and the blocks that are listed; all of it is read if the parent's content is
    /// away.
    private void loadListed(ChangeList list, long number, MemorySegment bytes) throws IOException {
        long offset = number << chunkLog;
        long end = offset + bytes.byteSize();
        boolean all = list.unlistedFrom(offset) >= end;
        if (all || parent.node(number, bytes.byteSize()) == null || !readParent(number, bytes.byteSize())) {
            feed.read(offset, bytes);
            return;
        }
        bytes.copyFrom(decoded.asSlice(0, bytes.byteSize()));
        for (long at = list.listedFrom(offset); at < end; ) {
            long until = Math.min(end, list.unlistedFrom(at));
            long next = list.listedFrom(until);
            while (next < end && next - until <= SMALL_GAP) {
                until = Math.min(end, list.unlistedFrom(next));
                next = list.listedFrom(until);
            }
            feed.read(at, bytes.asSlice(at - offset, until - at));
            at = next;
        }
    }

    private Chunk look(long number, MemorySegment bytes, boolean single, MemorySegment frameRoom) throws IOException {
        long length = bytes.byteSize();
        Node old = parent == null ? null : parent.node(number, length);
        if (Zeros.only(bytes)) {
            boolean same = old != null && old.zero();
            return new Chunk(number, length, same ? Verdict.SAME : Verdict.ZERO, null, null, List.of());
        }
        Hash hash = single ? hasher.whole(bytes) : hasher.subtree(bytes, number << chunkLog);
        if (parent == null) {
            return new Chunk(number, length, Verdict.DATA, hash, compress(number, bytes, frameRoom), List.of());
        }
        if (old != null && !old.zero() && old.hash().equals(hash) && single == parent.geometry().single()) {
            return new Chunk(number, length, Verdict.SAME, hash, null, List.of());
        }
        return new Chunk(number, length, Verdict.DATA, hash, null, difference(number, bytes));
    }

    @Override
    MemorySegment compress(long firstChunk, MemorySegment payload, MemorySegment frameRoom) throws IOException {
        inDecoded = -1; // hints are decoded there
        return super.compress(firstChunk, payload, frameRoom);
    }

    /// the blocks that differ from the parent, as extents of equal state
    private List<Extent> difference(long chunk, MemorySegment bytes) throws IOException {
        long length = bytes.byteSize();
        Geometry old = parent.geometry();
        long inParent = chunk < old.chunks() ? old.length(chunk, 1) : 0;
        boolean known = inParent > 0 && readParent(chunk, inParent);
        // a block that ends in one of the two is not the same in the other
        long comparable = !known ? 0 : inParent == length ? length : Math.min(length, inParent) & -Geometry.BLOCK_SIZE;
        List<Extent> extents = new ArrayList<>();
        long firstBlock = chunk << (chunkLog - Geometry.BLOCK_LOG);
        for (long at = 0; at < length; at += Geometry.BLOCK_SIZE) {
            at = firstDifference(bytes, at, comparable);
            if (at < length) {
                MemorySegment block = bytes.asSlice(at, Math.min(Geometry.BLOCK_SIZE, length - at));
                add(extents, firstBlock + (at >>> Geometry.BLOCK_LOG), !Zeros.only(block));
            }
        }
        return extents;
    }

    /// {@return offset in the chunk of the first block from `at` on that differs from the parent, or where there is no more to compare}
    private long firstDifference(MemorySegment bytes, long at, long comparable) {
        if (at >= comparable) {
            return at;
        }
        long mismatch = MemorySegment.mismatch(bytes, at, comparable, decoded, at, comparable);
        return mismatch < 0 ? comparable : at + mismatch & -Geometry.BLOCK_SIZE;
    }

    private boolean readParent(long chunk, long length) throws IOException {
        if (parentReader == null) {
            parentReader = parent.reader();
        }
        if (inDecoded != chunk) {
            inDecoded = parent.read(parentReader, chunk, decoded.asSlice(0, length)) ? chunk : -1;
        }
        return inDecoded == chunk;
    }

    private static void add(List<Extent> extents, long block, boolean data) {
        Extent last = extents.isEmpty() ? null : extents.getLast();
        if (last != null && last.end() == block && last.data() == data) {
            extents.set(extents.size() - 1, new Extent(last.first(), last.count() + 1, data));
        } else {
            extents.add(new Extent(block, 1, data));
        }
    }

    @Override
    public void close() {
        if (parentReader != null) {
            parentReader.close();
        }
        super.close();
    }
}
