package varve.archive;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.codec.FrameEncoder;
import varve.archive.file.ArchiveOutput;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.hash.TreeMerge;

/// Turns what is known of a device, chunk by chunk in order, into an archive: nodes, extents, frames and the root.
///
/// Three things wait here. *Zero runs*: how a run is cut into nodes depends on where it ends (FORMAT.md F021). *Zero nodes of
/// the parent*: one of which only a part is still the same has to be listed, the rest as kept nodes; one that is
/// the same as a whole is not. *Payload of a delta*, until it fills a frame. And everything is written in device order
/// although hashes and frames are computed by workers: it queues in `pending`, each entry ready to run when what
/// it waits for is done.
///
/// The result depends on what is taken alone, not on timing, so that an interrupted run finds its frames again.
///
/// For one thread, the one that leads.
final class Recorder {

    /// payload that closes a frame of a delta: FORMAT.md section 4.2
    private static final int FRAME_TARGET = 1 << 20;

    /// chunks that a frame waits for more payload, so that `pending` stays short however little changed
    private static final int FRAME_PATIENCE = 4096;

    private static final int MAX_PENDING = 256;

    /// frames that may be on their way, however few threads there are
    private static final int LEAST_FRAMES = 12;

    private final Workers<? extends Press> workers;
    private final LongSupplier size;
    private final ZeroHashes zeroHashes;
    private final ArchiveOutput output;
    private final int chunkLog;
    private final boolean delta;
    private final @Nullable Geometry parent;
    private final Deque<Pending> pending = new ArrayDeque<>();
    private final FrameRoom rooms;
    private final TreeMerge merge = new TreeMerge();

    private @Nullable Hash only;
    private @Nullable Frame open;
    private boolean runKept;
    private long runStart;
    private long runEnd;
    private @Nullable Node parentZero;
    private long parentZeroStart;
    private long parentZeroEnd;
    private long extents;
    private long changedSize;
    private long payloadSize;

    /// Knows the hashes of some zero nodes, so that they are not computed again.
    interface ZeroHashes {

        ZeroHashes NONE = (chunk, count) -> null;

        /// {@return the hash of a zero node of the device, or null}
        @Nullable Hash of(long chunk, long count) throws IOException;
    }

    /// Writes the payload of a chunk, its data extents end to end.
    interface Payload {

        /// @param into as large as it is
        /// @return what has to end well before the payload may be written, or null
        @Nullable Future<?> copy(MemorySegment into) throws IOException;
    }

    /// @param run writes one thing
    /// @param frame that must be complete before it can
    /// @param hash that must be there before it can
    private record Pending(Callable<@Nullable Void> run, @Nullable Frame frame, @Nullable Future<Hash> hash) {

        boolean ready() {
            return (hash == null || hash.isDone()) && (frame == null || frame.bytes != null && frame.bytes.isDone());
        }
    }

    /// A frame on its way: one of a delta that is filled by whole nodes and then compressed, or one that others made.
    static final class Frame {
        private final long firstChunk;
        private final MemorySegment content;
        private final MemorySegment room;
        private final List<Future<?>> proofs = new ArrayList<>();
        private int size;
        private int events;
        private @Nullable Future<MemorySegment> bytes;
        private @Nullable Runnable release;
        private Node.@Nullable Frame written;

        private Frame(long firstChunk, MemorySegment content, MemorySegment room) {
            this.firstChunk = firstChunk;
            this.content = content;
            this.room = room;
        }
    }

    /// memory for frames on their way
    private static final class FrameRoom {
        private final SegmentAllocator memory;
        private final long contentSize;
        private final int most;
        private final Deque<MemorySegment[]> free = new ArrayDeque<>();
        private int allocated;

        FrameRoom(SegmentAllocator memory, long contentSize, int most) {
            this.memory = memory;
            this.contentSize = contentSize;
            this.most = most;
        }

        boolean full() {
            return allocated >= most && free.isEmpty();
        }

        Frame take(long firstChunk) {
            MemorySegment[] pair = free.poll();
            if (pair == null) {
                allocated++;
                pair = new MemorySegment[] {
                    memory.allocate(contentSize, 4096), memory.allocate(FrameEncoder.bound(contentSize), 4096)
                };
            }
            Frame frame = new Frame(firstChunk, pair[0], pair[1]);
            frame.release = () -> free.add(new MemorySegment[] {frame.content, frame.room});
            return frame;
        }
    }

    /// @param size of the device, or of what is known of it yet
    /// @param parent of a delta; null for a full
    Recorder(
            Workers<? extends Press> workers,
            LongSupplier size,
            ZeroHashes zeroHashes,
            ArchiveOutput output,
            int chunkLog,
            @Nullable Geometry parent,
            SegmentAllocator memory) {
        this.workers = workers;
        this.size = size;
        this.zeroHashes = zeroHashes;
        this.output = output;
        this.chunkLog = chunkLog;
        this.delta = parent != null;
        this.parent = parent;
        this.rooms = new FrameRoom(memory, largestContent(chunkLog), Math.max(LEAST_FRAMES, 2 * workers.threads()));
    }

    /// {@return the most that a frame can hold}
    static long largestContent(int chunkLog) {
        return FRAME_TARGET + (1L << chunkLog);
    }

    /// Takes chunks that are zero and were zero in the parent, all within one of its nodes.
    void sameZero(long chunk, long end, Node node) throws IOException {
        if (node.equals(parentZero) && chunk == parentZeroEnd) {
            parentZeroEnd = end;
            return;
        }
        endParentZero();
        parentZero = node;
        parentZeroStart = chunk;
        parentZeroEnd = end;
    }

    /// Takes a chunk of data that is as in the parent.
    void same(Hash hash, long length) throws IOException {
        endRuns();
        add(hash, length);
    }

    /// Takes chunks that are zero, and in a delta were not.
    void zero(long chunk, long end) throws IOException {
        endParentZero();
        zeroRun(chunk, end, false);
    }

    /// Takes a chunk of a full.
    ///
    /// @param bytes the frame
    /// @param release called when the frame is written
    void data(long chunk, Hash hash, Future<MemorySegment> bytes, Runnable release) throws IOException {
        endRuns();
        long length = geometry().length(chunk, 1);
        changedSize += length;
        payloadSize += length;
        Frame frame = made((int) length, bytes, release);
        later(() -> {
            output.node(new Node(chunk, 1, false, frame.written, 0, 0, hash));
            addHash(hash, length);
            return null;
        }, frame);
    }

    /// Takes a chunk of a delta, whose payload goes to the frame that is being filled.
    void changed(long chunk, Hash hash, List<Extent> extents, Payload payload) throws IOException {
        endRuns();
        long size = payloadOf(extents);
        Frame frame = size == 0 ? null : frameFor(chunk);
        int payloadAt = frame == null ? 0 : frame.size;
        if (frame != null) {
            frame.size += (int) size;
            Future<?> proof = payload.copy(frame.content.asSlice(payloadAt, size));
            if (proof != null) {
                frame.proofs.add(proof);
            }
        }
        changed(chunk, hash, extents, frame, payloadAt);
        if (frame != null && frame.size >= FRAME_TARGET) {
            endFrame();
        }
    }

    /// Ends the frame that is being filled and takes one as it is, for chunks that are taken next.
    ///
    /// @param bytes the frame
    /// @param release called when the frame is written
    Frame move(int contentSize, Future<MemorySegment> bytes, Runnable release) {
        endFrame();
        return made(contentSize, bytes, release);
    }

    /// Takes a chunk of a delta, whose payload is in a frame that is taken as it is.
    void moved(long chunk, Hash hash, List<Extent> extents, Frame frame, int payloadAt) throws IOException {
        endRuns();
        changed(chunk, hash, extents, frame, payloadAt);
    }

    private void changed(long chunk, Hash hash, List<Extent> extents, @Nullable Frame frame, int payloadAt) throws IOException {
        long length = geometry().length(chunk, 1);
        for (Extent extent : extents) {
            changedSize += geometry().blockLength(extent.first(), extent.count());
        }
        payloadSize += payloadOf(extents);
        this.extents += extents.size();
        later(() -> {
            Node.Frame written = frame == null ? Node.Frame.NONE : frame.written;
            output.node(new Node(chunk, 1, false, written, payloadAt, output.nextExtent(), hash));
            for (Extent extent : extents) {
                output.extent(extent);
            }
            addHash(hash, length);
            return null;
        }, frame == null ? open : frame);
    }

    private long payloadOf(List<Extent> extents) {
        Geometry geometry = geometry();
        long payload = 0;
        for (Extent extent : extents) {
            payload += extent.data() ? geometry.blockLength(extent.first(), extent.count()) : 0;
        }
        return payload;
    }

    /// {@return how many more extents the archive may hold: FORMAT.md F034}
    long extentsLeft() {
        return Extent.MAX_ROWS - extents;
    }

    /// Writes everything that still waits.
    ///
    /// @return the state of the device
    State finish() throws IOException {
        endRuns();
        endFrame();
        while (!pending.isEmpty()) {
            runFirst();
        }
        long bytes = size.getAsLong();
        if (bytes == 0) {
            return new State(new SubtreeHasher().whole(MemorySegment.ofArray(new byte[0])), 0);
        }
        return new State(only != null ? only : merge.root(), bytes);
    }

    /// bytes of the device in the archive
    long changedSize() {
        return changedSize;
    }

    /// decompressed bytes in its frames
    long payloadSize() {
        return payloadSize;
    }

    /// Writes the first thing that waits, if it can be.
    ///
    /// @return whether there was one
    boolean runFirst() throws IOException {
        Pending first = pending.peek();
        if (first == null || (first.frame != null && first.frame == open)) {
            return false;
        }
        pending.remove();
        if (first.frame != null) {
            write(first.frame);
        }
        Workers.call(first.run);
        return true;
    }

    private void write(Frame frame) throws IOException {
        if (frame.written == null && frame.bytes != null) {
            for (Future<?> proof : frame.proofs) {
                Workers.result(proof);
            }
            frame.written = output.frame(Workers.result(frame.bytes), frame.size);
            frame.release.run();
        }
    }

    private static Frame made(int contentSize, Future<MemorySegment> bytes, Runnable release) {
        Frame frame = new Frame(0, MemorySegment.NULL, MemorySegment.NULL);
        frame.size = contentSize;
        frame.bytes = bytes;
        frame.release = release;
        return frame;
    }

    private Geometry geometry() {
        return new Geometry(size.getAsLong(), chunkLog);
    }

    private void endRuns() throws IOException {
        endParentZero();
        endZeroRun();
    }

    /// decides on a stretch of zeros that were zeros: all of the parent's node, which then stands, or a part
    private void endParentZero() throws IOException {
        Node node = parentZero;
        if (node == null) {
            return;
        }
        parentZero = null;
        Geometry now = geometry();
        boolean whole = parentZeroStart == node.chunk() && parentZeroEnd == node.end();
        if (whole && stands(node, now)) {
            endZeroRun();
            add(node.hash(), now.length(node.chunk(), node.count()));
        } else {
            zeroRun(parentZeroStart, parentZeroEnd, true);
        }
    }

    /// whether a node of the parent is one of the device as it is now, too: FORMAT.md section 5.2, kept nodes
    private boolean stands(Node node, Geometry now) {
        boolean clipped = Long.bitCount(node.count()) != 1 && node.end() < now.chunks();
        boolean alone = node.chunk() == 0 && node.end() >= now.chunks();
        return now.single() == parent.single() && !clipped && (now.single() || !alone);
    }

    private void zeroRun(long chunk, long end, boolean kept) throws IOException {
        if (runEnd == chunk && runEnd > runStart && kept == runKept) {
            runEnd = end;
            return;
        }
        endZeroRun();
        runStart = chunk;
        runEnd = end;
        runKept = kept;
    }

    private void endZeroRun() throws IOException {
        Geometry geometry = geometry();
        for (long chunk = runStart; chunk < runEnd; ) {
            long count = geometry.zeroNode(chunk, runEnd);
            zeroNode(geometry, chunk, count, runKept);
            chunk += count;
        }
        runStart = runEnd;
    }

    private void zeroNode(Geometry geometry, long chunk, long count, boolean kept) throws IOException {
        long offset = geometry.offset(chunk);
        long length = geometry.length(chunk, count);
        boolean single = geometry.single();
        Hash known = zeroHashes.of(chunk, count);
        Future<Hash> hash = known != null
                ? CompletableFuture.completedFuture(known)
                : workers.submit(press -> press.zeros(offset, length, single));
        if (!kept) {
            changedSize += length;
            payloadSize += delta ? 0 : length;
            extents += delta ? 1 : 0;
        }
        later(() -> {
            Hash value = Workers.result(hash);
            Node.Frame frame = delta ? Node.Frame.NONE : output.frame(workers.zeroFrame(length), (int) length);
            output.node(new Node(chunk, count, true, frame, 0, output.nextExtent(), value));
            if (delta && !kept) {
                long firstBlock = offset >>> Geometry.BLOCK_LOG;
                long endBlock = (offset + length + Geometry.BLOCK_SIZE - 1) >>> Geometry.BLOCK_LOG;
                output.extent(new Extent(firstBlock, endBlock - firstBlock, false));
            }
            addHash(value, length);
            return null;
        }, open, hash);
    }

    private void add(Hash hash, long length) throws IOException {
        later(() -> {
            addHash(hash, length);
            return null;
        }, open);
    }

    private void addHash(Hash hash, long length) {
        if (length == size.getAsLong()) {
            only = hash;
        } else {
            merge.add(hash, length);
        }
    }

    private Frame frameFor(long chunk) throws IOException {
        if (open == null) {
            while (rooms.full() && runFirst()) {
                // until a frame is written
            }
            open = rooms.take(chunk);
        }
        return open;
    }

    /// Ends the frame that is being filled.
    void endFrame() {
        Frame frame = open;
        if (frame != null) {
            open = null;
            MemorySegment content = frame.content.asSlice(0, frame.size);
            frame.bytes = workers.submit(press -> press.compress(frame.firstChunk, content, frame.room));
        }
    }

    private void later(Callable<@Nullable Void> run, @Nullable Frame frame) throws IOException {
        later(run, frame, null);
    }

    private void later(Callable<@Nullable Void> run, @Nullable Frame frame, @Nullable Future<Hash> hash) throws IOException {
        pending.add(new Pending(run, frame, hash));
        if (frame != null && frame == open && ++frame.events >= FRAME_PATIENCE) {
            endFrame();
        }
        while (!pending.isEmpty() && (pending.peek().ready() || pending.size() > MAX_PENDING) && runFirst()) {
            // until what is left has to wait, for a worker or for a frame to fill
        }
    }
}
