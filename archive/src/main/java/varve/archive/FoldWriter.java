package varve.archive;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.chain.Chain;
import varve.archive.chain.Fold;
import varve.archive.codec.FrameEncoder;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.hash.Hash;

/// Carries out a fold: moves frames, packs others, and gives all to the recorder in device order.
///
/// Parts are planned some way ahead, so that workers decode what will be packed while the leading thread puts together what
/// they have decoded. What it has put together they prove and compress.
///
/// For one thread, the one that leads.
final class FoldWriter {

    /// decoded frames that are kept, however small they are
    private static final int MOST_DECODED = 512;

    /// memory for frames that are moved
    private static final long MOVING = 16L << 20;

    /// payload that is planned ahead
    private static final long MOST_PAYLOAD_AHEAD = 16L << 20;

    /// parts that are planned ahead
    private static final int MOST_AHEAD = 4096;

    private final Fold fold;
    private final Geometry geometry;
    private final boolean full;
    private final Workers<Repacker> workers;
    private final Recorder recorder;
    private final DecodedFrames frames;
    private final LongConsumer progress;
    private final Deque<Fold.Part> ahead = new ArrayDeque<>();
    private final Deque<Future<?>> proofs = new ArrayDeque<>();
    private final Deque<MemorySegment> moving = new ArrayDeque<>();
    private final Deque<Chunk> packing = new ArrayDeque<>();
    private long payloadAhead;
    private Recorder.@Nullable Frame moved;

    /// memory for a chunk of a full
    private record Chunk(MemorySegment content, MemorySegment frame) {}

    /// @param first the oldest layer that is folded
    /// @param decoded memory for decoded frames
    FoldWriter(
            Chain chain,
            int first,
            Workers<Repacker> workers,
            long decoded,
            Recorder recorder,
            SegmentAllocator memory,
            LongConsumer progress)
            throws IOException {
        this.fold = new Fold(chain, first);
        this.geometry = chain.geometry();
        this.full = first == 0;
        this.workers = workers;
        this.recorder = recorder;
        int threads = workers.threads();
        this.progress = progress;
        long largestFrame = 1;
        long largestContent = 1;
        for (int layer = first; layer < chain.length(); layer++) {
            largestFrame = Math.max(largestFrame, chain.index(layer).largestFrame());
            largestContent = Math.max(largestContent, chain.index(layer).largestContent());
        }
        this.frames = new DecodedFrames(
                workers, memory, largestContent, (int) Math.clamp(decoded / largestContent, 2, MOST_DECODED));
        for (long i = Math.clamp(MOVING / largestFrame, threads + 1, 64); i > 0; i--) {
            moving.add(memory.allocate(largestFrame, 4096));
        }
        for (int i = full ? 2 * threads + 1 : 0; i > 0; i--) {
            packing.add(new Chunk(
                    memory.allocate(geometry.chunkSize(), 4096),
                    memory.allocate(FrameEncoder.bound(geometry.chunkSize()), 4096)));
        }
    }

    /// Writes everything.
    ///
    /// @return the state of the device
    State run() throws IOException {
        plan();
        while (!ahead.isEmpty()) {
            take(ahead.remove());
            plan();
        }
        while (!proofs.isEmpty()) {
            Workers.result(proofs.remove());
        }
        return recorder.finish();
    }

    private void plan() throws IOException {
        while (ahead.size() < MOST_AHEAD && payloadAhead < MOST_PAYLOAD_AHEAD) {
            Fold.Part part = fold.next();
            if (part == null) {
                return;
            }
            ahead.add(part);
            if (part instanceof Fold.Data data && data.source() == null) {
                data.pieces().forEach(frames::want);
                payloadAhead += data.payload();
            }
        }
    }

    private void take(Fold.Part part) throws IOException {
        switch (part) {
            case Fold.Same(Node node) -> recorder.same(node.hash(), geometry.length(node.chunk(), 1));
            case Fold.Zero(long chunk, long end) -> recorder.zero(chunk, end);
            case Fold.SameZero(long chunk, long end, Node before) -> recorder.sameZero(chunk, end, before);
            case Fold.Data data when data.source() != null -> move(data, data.source());
            case Fold.Data data when full -> packChunk(data);
            case Fold.Data data -> pack(data);
        }
    }

    private void move(Fold.Data data, Fold.Source source) throws IOException {
        if (source.at() > 0) {
            recorder.moved(data.chunk(), data.hash(), data.extents(), moved, source.at());
            return;
        }
        recorder.endFrame();
        MemorySegment room = free(moving);
        Future<MemorySegment> bytes = workers.submit(repacker -> repacker.read(source.layer(), source.frame(), room));
        Runnable release = () -> moving.add(room);
        progress.accept(source.frame().size());
        if (full) {
            recorder.data(data.chunk(), data.hash(), bytes, release);
        } else {
            moved = recorder.move(source.frame().contentSize(), bytes, release);
            recorder.moved(data.chunk(), data.hash(), data.extents(), moved, 0);
        }
    }

    private void pack(Fold.Data data) throws IOException {
        if (recorder.extentsLeft() < data.extents().size()) {
            throw new RefusedException("the delta would hold more than " + Extent.MAX_ROWS + " pieces (F034); make a full instead");
        }
        recorder.changed(data.chunk(), data.hash(), data.extents(), into -> {
            long done = 0;
            for (Fold.Piece piece : data.pieces()) {
                into.asSlice(done, piece.size()).copyFrom(frames.take(piece));
                done += piece.size();
            }
            return workers.submit(repacker -> repacker.prove(data, into));
        });
        if (data.pieces().isEmpty()) {
            proofs.add(workers.submit(repacker -> repacker.prove(data, MemorySegment.NULL)));
            while (proofs.peek() != null && proofs.peek().isDone()) {
                Workers.result(proofs.remove());
            }
        }
        taken(data);
    }

    private void packChunk(Fold.Data data) throws IOException {
        Chunk room = free(packing);
        MemorySegment content = room.content.asSlice(0, geometry.length(data.chunk(), 1));
        for (Extent extent : data.extents()) {
            if (!extent.data()) {
                long at = (extent.first() << Geometry.BLOCK_LOG) - geometry.offset(data.chunk());
                content.asSlice(at, geometry.blockLength(extent.first(), extent.count())).fill((byte) 0);
            }
        }
        for (Fold.Piece piece : data.pieces()) {
            content.asSlice(piece.at(), piece.size()).copyFrom(frames.take(piece));
        }
        Future<MemorySegment> frame = workers.submit(repacker -> repacker.pack(data, content, room.frame));
        recorder.data(data.chunk(), data.hash(), frame, () -> packing.add(room));
        taken(data);
    }

    private void taken(Fold.Data data) {
        payloadAhead -= data.payload();
        progress.accept(data.payload());
    }

    /// {@return one of the rooms, when what is in it is written}
    private <T> T free(Deque<T> rooms) throws IOException {
        while (rooms.isEmpty()) {
            if (!recorder.runFirst()) {
                throw new IllegalStateException("rooms are in use, but nothing waits to be written");
            }
        }
        return rooms.remove();
    }
}
