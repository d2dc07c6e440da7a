package varve.archive.chain;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;
import varve.archive.codec.FrameDecoder;
import varve.archive.file.DataCopies;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.linux.LargePages;

/// Reads chunks of a chain, each proved by its hash before it is given out.
///
/// A chunk is put together from the newest archive that lists it down to where all its blocks are found. Frames of deltas hold
/// several chunks, so those that were decoded are kept for a while: sequential reading decodes each once. What is damaged in one copy of an
/// archive is taken from another, if the chain has several.
///
/// For one thread. Working memory is a frame of each kind, and what the [Frames] keep. Close it; the chain stays open.
public final class ChainReader implements AutoCloseable {

    /// instead of the number of a copy: the one that the file trees vouch for
    private static final int PROVED = -1;

    private final Chain chain;
    private final Arena arena = Arena.ofShared();
    private final FrameDecoder decoder = new FrameDecoder();
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final MemorySegment compressed;
    private final MemorySegment scratch;
    private final BitSet filled = new BitSet();
    private final Frames frames;
    private Frames framesAtHand;
    private int offeredLayer = -1;
    private long offeredPosition;
    private MemorySegment offered = MemorySegment.NULL;
    private @Nullable MemorySegment values; // of groups, if they are wanted
    private int copy; // of the data files, that is tried first

    /// One that keeps the last few frames itself.
    public ChainReader(Chain chain) {
        this(chain, new RecentFrames(chain.largestContent()));
    }

    /// @param frames where decoded frames are kept; closed with this reader
    public ChainReader(Chain chain, Frames frames) {
        this.chain = chain;
        SegmentAllocator memory = new LargePages(arena);
        this.frames = frames;
        this.framesAtHand = frames;
        int compressedSize = 0;
        for (int i = 0; i < chain.length(); i++) {
            compressedSize = Math.max(compressedSize, chain.layer(i).index().largestFrame());
        }
        this.compressed = memory.allocate(Math.max(1, compressedSize), 4096);
        this.scratch = memory.allocate(chain.geometry().chunkSize(), 4096);
    }

    /// Lends a part of a data file that the caller has read, so that frames in it are not read again, nor taken from anywhere else;
    /// until the next offer.
    ///
    /// @param layer 0 for the full
    /// @param position of `bytes` in the file
    /// @param bytes native memory; not to be believed, like the file
    public void offer(int layer, long position, MemorySegment bytes) {
        frames.forget(layer);
        offeredLayer = layer;
        offeredPosition = position;
        offered = bytes;
    }

    /// Reads one chunk.
    ///
    /// @param into native memory of the chunk's length
    /// @throws CorruptException if what the archives hold does not have the chunk's hash
    /// @throws BrokenChainException if a data file is not at hand
    public void read(long chunk, MemorySegment into) throws IOException {
        read(chain.length() - 1, chunk, into);
    }

    /// Reads one chunk as it was when the archive of a layer was the newest.
    ///
    /// @param into native memory of the length that the chunk had then
    /// @throws CorruptException if what the archives hold does not have the chunk's hash
    /// @throws BrokenChainException if a data file is not at hand
    public void read(int newest, long chunk, MemorySegment into) throws IOException {
        read(chain.find(newest, chunk), chunk, chain.index(newest).geometry(), into);
    }

    /// Reads one chunk.
    ///
    /// @param found the node that holds it
    /// @param into native memory of the chunk's length
    /// @throws CorruptException if what the archives hold does not have the node's hash
    /// @throws BrokenChainException if a data file is not at hand
    public void read(Chain.Found found, long chunk, MemorySegment into) throws IOException {
        read(found, chunk, chain.geometry(), into);
    }

    /// As [#read(Chain.Found, long, MemorySegment)], with what it takes to prove parts of the chunk later, when they come from elsewhere.
    ///
    /// @param groups takes the values of all groups of [SubtreeHasher#GROUP] bytes in the chunk, [Hash#SIZE] bytes each: of a data node, these are nodes of the
    ///     tree that its hash is the top of
    public void read(Chain.Found found, long chunk, MemorySegment into, MemorySegment groups) throws IOException {
        values = groups;
        try {
            read(found, chunk, into);
        } finally {
            values = null;
        }
    }

    private void read(Chain.Found found, long chunk, Geometry then, MemorySegment into) throws IOException {
        if (found.node().zero()) {
            into.fill((byte) 0);
            return;
        }
        try {
            prove(found, chunk, then, into);
        } catch (CorruptException | DeviceException | EOFException e) {
            int copies = chain.copies(found.layer());
            if (copies == 1) {
                throw e;
            }
            readElsewhere(found, chunk, then, into, copies, e);
        }
    }

    private void prove(Chain.Found found, long chunk, Geometry then, MemorySegment into) throws IOException {
        fill(found, chunk, into);
        Hash hash = hash(then, chunk, into);
        if (!hash.equals(found.node().hash())) {
            throw new CorruptException(
                    Rule.F026, where(found.layer(), chunk), "expected " + found.node().hash() + ", found " + hash);
        }
    }

    private Hash hash(Geometry then, long chunk, MemorySegment content) {
        long offset = then.offset(chunk);
        Hash top = values == null ? null : hasher.subtree(content, offset, values);
        return then.single() ? hasher.whole(content) : top == null ? hasher.subtree(content, offset) : top;
    }

    /// tries other copies of the data files: those parts that the file trees vouch for, then each copy for all frames
    private void readElsewhere(Chain.Found found, long chunk, Geometry then, MemorySegment into, int copies, IOException failure)
            throws IOException {
        try {
            for (copy = PROVED; copy < copies; copy++) {
                try (Frames fresh = new RecentFrames(chain.largestContent())) { // one that is kept may have decoded to something else
                    framesAtHand = fresh;
                    prove(found, chunk, then, into);
                    chain.detour(found.layer());
                    return;
                } catch (CorruptException | DeviceException | EOFException e) {
                    // the next may be better; if not, what was wrong at first is to be told
                }
            }
        } finally {
            copy = 0;
            framesAtHand = frames;
        }
        throw failure;
    }

    private void fill(Chain.Found newest, long chunk, MemorySegment into) throws IOException {
        int blocks = (int) ((into.byteSize() + Geometry.BLOCK_SIZE - 1) >>> Geometry.BLOCK_LOG);
        filled.clear();
        int layer = newest.layer();
        long row = newest.row();
        while (true) {
            Index index = chain.layer(layer).index();
            Node node = index.node(row);
            if (node.zero()) {
                zeros(0, blocks, into);
                return;
            }
            if (index.full()) {
                fillFromFull(layer, node, chunk, blocks, into);
                return;
            }
            fillFromDelta(layer, row, node, chunk, into);
            if (filled.nextClearBit(0) >= blocks) {
                return;
            }
            do {
                if (--layer < 0) {
                    throw new CorruptException(Rule.F025, where(newest.layer(), chunk), "no archive has all of it");
                }
                row = chain.layer(layer).index().find(chunk);
            } while (row < 0);
        }
    }

    /// A frame that holds a part of a chunk.
    ///
    /// @param layer 0 for the full
    public record Part(int layer, Node.Frame frame) {}

    /// {@return the frames that a chunk is put together from, in the order in which they are decoded}
    ///
    /// @param found the node that holds it
    public List<Part> parts(Chain.Found found, long chunk) throws IOException {
        List<Part> parts = new ArrayList<>();
        long firstBlock = chunk << (chain.geometry().chunkLog() - Geometry.BLOCK_LOG);
        filled.clear();
        long row = found.row();
        for (int layer = found.layer(); layer >= 0; layer--) {
            Index index = chain.layer(layer).index();
            row = layer == found.layer() ? row : index.find(chunk);
            Node node = row < 0 ? null : index.node(row);
            if (node == null) {
                continue;
            }
            if (index.full() || node.zero()) {
                if (!node.zero()) {
                    parts.add(new Part(layer, node.frame()));
                }
                return parts;
            }
            boolean needed = false;
            long end = index.extentEnd(row);
            for (long e = node.extent(); e < end; e++) {
                Extent extent = index.extent(e);
                int to = (int) (extent.end() - firstBlock);
                needed |= extent.data() && filled.nextClearBit((int) (extent.first() - firstBlock)) < to;
                filled.set((int) (extent.first() - firstBlock), to);
            }
            if (needed) {
                parts.add(new Part(layer, node.frame()));
            }
        }
        return parts;
    }

    /// Decodes a frame for another reader of the chain.
    ///
    /// @param content of its size; what is in it then is proved by nothing
    public void decode(Part part, long chunk, MemorySegment content) throws IOException {
        decode(part.layer, part.frame, chunk, content);
    }

    private void fillFromFull(int layer, Node node, long chunk, int blocks, MemorySegment into) throws IOException {
        int contentSize = node.frame().contentSize();
        try (Frames.Held held = framesAtHand.holdIfThere(layer, node.frame())) {
            if (held != null) {
                copy(held.content(), 0, 0, blocks, into);
                return;
            }
        }
        if (filled.isEmpty() && contentSize == into.byteSize()) {
            decode(layer, node.frame(), chunk, into);
            return;
        }
        MemorySegment content = scratch.asSlice(0, contentSize);
        decode(layer, node.frame(), chunk, content);
        copy(content, 0, 0, blocks, into);
    }

    private void fillFromDelta(int layer, long row, Node node, long chunk, MemorySegment into) throws IOException {
        Index index = chain.layer(layer).index();
        long firstBlock = chunk << (chain.geometry().chunkLog() - Geometry.BLOCK_LOG);
        long payloadAt = node.payloadAt();
        long end = index.extentEnd(row);
        Frames.@Nullable Held held = null;
        try {
            for (long e = node.extent(); e < end; e++) {
                Extent extent = index.extent(e);
                int from = (int) (extent.first() - firstBlock);
                int to = (int) (extent.end() - firstBlock);
                if (!extent.data()) {
                    zeros(from, to, into);
                } else {
                    if (filled.nextClearBit(from) < to) { // else newer archives have all of it
                        held = held == null ? frame(layer, node.frame(), chunk) : held;
                        copy(held.content(), payloadAt, from, to, into);
                    }
                    payloadAt += index.geometry().blockLength(extent.first(), extent.count());
                }
            }
        } finally {
            if (held != null) {
                held.close();
            }
        }
    }

    /// copies the blocks that are still wanted; `from` and `to` count in the chunk, `payloadAt` is where block `from` begins
    private void copy(MemorySegment content, long payloadAt, int from, int to, MemorySegment into) {
        for (int block = filled.nextClearBit(from); block < to; ) {
            int end = filled.nextSetBit(block);
            end = end < 0 ? to : Math.min(end, to);
            long offset = (long) block << Geometry.BLOCK_LOG;
            long source = payloadAt + ((long) (block - from) << Geometry.BLOCK_LOG);
            long size = Math.min(
                    Math.min(into.byteSize(), (long) end << Geometry.BLOCK_LOG) - offset, content.byteSize() - source);
            if (size > 0) {
                MemorySegment.copy(content, source, into, offset, size);
            }
            filled.set(block, end);
            block = filled.nextClearBit(end);
        }
    }

    private void zeros(int from, int to, MemorySegment into) {
        for (int block = filled.nextClearBit(from); block < to; ) {
            int end = filled.nextSetBit(block);
            end = end < 0 ? to : Math.min(end, to);
            long offset = (long) block << Geometry.BLOCK_LOG;
            long size = Math.min(into.byteSize(), (long) end << Geometry.BLOCK_LOG) - offset;
            if (size > 0) {
                into.asSlice(offset, size).fill((byte) 0);
            }
            filled.set(block, end);
            block = filled.nextClearBit(end);
        }
    }

    private Frames.Held frame(int layer, Node.Frame frame, long chunk) throws IOException {
        return framesAtHand.hold(layer, frame, content -> decode(layer, frame, chunk, content));
    }

    private void decode(int layer, Node.Frame frame, long chunk, MemorySegment content) throws IOException {
        long at = frame.position() - offeredPosition;
        if (layer == offeredLayer && at >= 0 && frame.end() <= offeredPosition + offered.byteSize()) {
            check(decoder.decode(offered.asSlice(at, frame.size()), content), layer, frame, chunk);
            return;
        }
        DataCopies data = chain.layer(layer).data();
        if (copy == PROVED) {
            check(decoder.decode(data.readProved(frame, compressed), content), layer, frame, chunk);
            return;
        }
        IOException failure = null;
        for (int i = 0; i < data.count(); i++) {
            try {
                check(decoder.decode(data.read((copy + i) % data.count(), frame, compressed), content), layer, frame, chunk);
                if (i > 0) {
                    chain.detour(layer);
                }
                return;
            } catch (CorruptException | DeviceException | EOFException e) {
                failure = failure == null ? e : failure;
            }
        }
        throw failure;
    }

    private void check(boolean decoded, int layer, Node.Frame frame, long chunk) throws CorruptException {
        if (!decoded) {
            throw new CorruptException(
                    Rule.F010, where(layer, chunk), "frame of " + frame.size() + " bytes at position " + frame.position());
        }
    }

    private String where(int layer, long chunk) {
        return chain.archive(layer).data().getFileName() + ": chunk " + chunk + " at " + chain.geometry().offset(chunk);
    }

    @Override
    public void close() {
        frames.close();
        decoder.close();
        arena.close();
    }
}
