package varve.archive.chain;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.hash.Hash;

/// The upper layers of a chain taken as one: what an archive holds that leads from the state below them straight to the last.
///
/// One pass over the node tables in device order, without a look at data. The newest layer that lists a chunk says what it is;
/// each block comes from the newest layer that has an extent there. With all layers of the chain the result is a full.
///
/// A frame *moves* if it can be taken as it is: each of its nodes is live as a whole, and no payload from elsewhere comes between them
/// (FORMAT.md F023). Whether it does is known only at its last node, so parts wait until then, no longer than one frame.
///
/// For one thread.
public final class Fold {

    /// content of frames of deltas that are too small to be kept apart for good: repeated folding would leave ever more of them
    private static final int LEAST_MOVED = 128 << 10;

    /// parts that wait for the end of a frame
    private static final int MOST_WAITING = 1 << 16;

    private final Chain chain;
    private final int first;
    private final Geometry now;
    private final @Nullable Geometry before;
    private final ChainCursor folded;
    private final @Nullable NodeWalk below;
    private Chain.@Nullable Found old;
    private final Deque<Part> ready = new ArrayDeque<>();
    private final List<Part> waiting = new ArrayList<>();
    private final List<Run> runs = new ArrayList<>();
    private final BitSet covered = new BitSet();
    private @Nullable Source moving;
    private long moved;
    private long chunk;

    /// A part of the device, in order.
    public sealed interface Part {}

    /// A data chunk that is as in the state below.
    public record Same(Node node) implements Part {}

    /// Chunks that are zero, and in the state below are not, or not at this length.
    public record Zero(long chunk, long end) implements Part {}

    /// Chunks that are zero as in the state below, all within one node there.
    public record SameZero(long chunk, long end, Node before) implements Part {}

    /// A data chunk that the result lists.
    ///
    /// @param extents that the layers hold, merged; in a full all blocks
    /// @param pieces of the payload, in order
    /// @param source of the whole payload, if the frame moves
    public record Data(long chunk, Hash hash, List<Extent> extents, List<Piece> pieces, @Nullable Source source) implements Part {

        /// {@return bytes of the pieces}
        public long payload() {
            long size = 0;
            for (Piece piece : pieces) {
                size += piece.size;
            }
            return size;
        }
    }

    /// A part of a chunk's payload.
    ///
    /// @param at where it begins, from the start of the chunk
    /// @param from where it begins in the content of the frame
    public record Piece(int at, int size, int layer, Node.Frame frame, int from) {}

    /// Where the payload of a node is.
    ///
    /// @param at where it begins in the content of the frame
    public record Source(int layer, Node.Frame frame, int at) {}

    /// blocks of a chunk that come from one layer; `from` is where those of data begin in the frame's content
    private record Run(int first, int end, boolean data, int layer, Node.Frame frame, int from) {}

    /// Folds layers of a chain.
    ///
    /// @param chain whose tables prove the state that the result applies to ([Chain#proveRoot])
    /// @param first the oldest of the layers; if that is the full, 0, the result is one
    public Fold(Chain chain, int first) {
        this.chain = chain;
        this.first = first;
        this.now = chain.geometry();
        this.before = first == 0 ? null : chain.index(first - 1).geometry();
        this.folded = new ChainCursor(IntStream.range(first, chain.length()).mapToObj(chain::index).toList());
        this.below = first == 0 ? null : chain.walk(first - 1);
    }

    /// {@return the next part, or null after the last}
    public @Nullable Part next() throws CorruptException {
        while (ready.isEmpty() && chunk < now.chunks()) {
            step();
        }
        if (ready.isEmpty()) {
            stay();
        }
        return ready.poll();
    }

    private void step() throws CorruptException {
        int layer = folded.advance(chunk);
        if (layer < 0) {
            below();
            return;
        }
        long end = Math.min(folded.end(layer), now.chunks());
        Node node = folded.node(layer);
        if (node.zero()) {
            zeros(chunk, end);
        } else {
            data(layer, node);
        }
        chunk = end;
    }

    /// what the folded layers do not list is as it was
    private void below() throws CorruptException {
        long end = Math.min(now.chunks(), folded.next());
        while (chunk < end) {
            Node node = before(chunk);
            long to = Math.min(node.end(), end);
            add(node.zero() ? new SameZero(chunk, to, node) : new Same(node));
            chunk = to;
        }
    }

    private void zeros(long from, long end) throws CorruptException {
        for (long at = from; at < end; ) {
            if (before == null || at >= before.chunks()) {
                add(new Zero(at, end));
                return;
            }
            Node node = before(at);
            if (before.length(at, 1) != now.length(at, 1) || !node.zero()) {
                add(new Zero(at, ++at));
            } else {
                // a last chunk, now or before, may have another length in the other: it is looked at by itself
                long last = Math.min(end, before.chunks()) - 1;
                long to = Math.max(at + 1, Math.min(node.end(), last));
                add(new SameZero(at, to, node));
                at = to;
            }
        }
    }

    /// {@return the node of the state below that holds a chunk, which is not before that of the last call}
    private Node before(long at) throws CorruptException {
        while (old == null || old.node().end() <= at) {
            old = below.next();
        }
        return old.node();
    }

    private void data(int newest, Node node) throws CorruptException {
        if (same(node)) {
            add(new Same(node));
            return;
        }
        Source whole = gather(newest, node.chunk());
        Data data = data(node);
        if (whole == null || data.pieces.isEmpty()) {
            if (!data.pieces.isEmpty()) {
                stay();
            }
            add(data);
            return;
        }
        place(data, whole);
    }

    private boolean same(Node node) throws CorruptException {
        long at = node.chunk();
        if (before == null || at >= before.chunks() || before.length(at, 1) != now.length(at, 1) || before.single() != now.single()) {
            return false;
        }
        Node old = before(at);
        return !old.zero() && old.hash().equals(node.hash());
    }

    /// Finds out for all blocks of a chunk where they come from.
    ///
    /// @return the payload of a node, if all data come from it and it has no others
    private @Nullable Source gather(int newest, long at) throws CorruptException {
        int blocks = (int) ((now.length(at, 1) + Geometry.BLOCK_SIZE - 1) >>> Geometry.BLOCK_LOG);
        runs.clear();
        covered.clear();
        Source whole = null;
        long payload = 0;
        int sources = 0;
        for (int layer = newest; layer >= 0 && covered.nextClearBit(0) < blocks; layer = folded.olderThan(layer, at)) {
            int before = runs.size();
            long size = gather(layer, at, blocks);
            if (anyData(before)) {
                Node node = folded.node(layer);
                whole = new Source(first + layer, node.frame(), node.payloadAt());
                payload = size;
                sources++;
            }
        }
        runs.sort(Comparator.comparingInt(Run::first));
        boolean alone = first > 0 || payload == now.length(at, 1) && whole != null && payload == whole.frame.contentSize();
        return sources == 1 && payload == live(at) && alone ? whole : null;
    }

    /// bytes of data in the runs
    private long live(long at) {
        long size = 0;
        for (Run run : runs) {
            size += run.data ? length(at, run.first, run.end) : 0;
        }
        return size;
    }

    /// {@return whether one of the runs from `first` on is of data}
    private boolean anyData(int first) {
        for (int i = first; i < runs.size(); i++) {
            if (runs.get(i).data) {
                return true;
            }
        }
        return false;
    }

    /// {@return the size of the payload that a layer has for the chunk}
    private long gather(int layer, long at, int blocks) throws CorruptException {
        Index index = chain.index(first + layer);
        Node node = folded.node(layer);
        boolean kept = !index.full() && node.extent() == index.extentEnd(folded.row(layer));
        if (node.zero() && !kept) {
            cover(0, blocks, false, layer, node.frame(), 0);
            return 0;
        }
        if (index.full()) {
            cover(0, blocks, true, layer, node.frame(), 0);
            return node.frame().contentSize();
        }
        long firstBlock = at << (now.chunkLog() - Geometry.BLOCK_LOG);
        long end = index.extentEnd(folded.row(layer));
        int from = node.payloadAt();
        for (long row = node.extent(); row < end; row++) {
            Extent extent = index.extent(row);
            int start = (int) (extent.first() - firstBlock);
            cover(start, Math.min(blocks, start + (int) extent.count()), extent.data(), layer, node.frame(), from);
            from += extent.data() ? (int) index.geometry().blockLength(extent.first(), extent.count()) : 0;
        }
        return from - node.payloadAt();
    }

    /// takes the blocks that no newer layer has
    private void cover(int start, int end, boolean data, int layer, Node.Frame frame, int from) {
        for (int block = covered.nextClearBit(start); block < end; block = covered.nextClearBit(block)) {
            int stop = covered.nextSetBit(block);
            stop = stop < 0 ? end : Math.min(stop, end);
            runs.add(new Run(block, stop, data, first + layer, frame, from + ((block - start) << Geometry.BLOCK_LOG)));
            covered.set(block, stop);
        }
    }

    private Data data(Node node) {
        long firstBlock = node.chunk() << (now.chunkLog() - Geometry.BLOCK_LOG);
        List<Extent> extents = new ArrayList<>();
        List<Piece> pieces = new ArrayList<>();
        for (Run run : runs) {
            Extent last = extents.isEmpty() ? null : extents.getLast();
            long start = firstBlock + run.first;
            if (last != null && last.end() == start && last.data() == run.data) {
                extents.set(extents.size() - 1, new Extent(last.first(), last.count() + run.end - run.first, run.data));
            } else {
                extents.add(new Extent(start, run.end - run.first, run.data));
            }
            if (run.data) {
                int size = (int) length(node.chunk(), run.first, run.end);
                pieces.add(new Piece(run.first << Geometry.BLOCK_LOG, size, run.layer, run.frame, run.from));
            }
        }
        return new Data(node.chunk(), node.hash(), List.copyOf(extents), List.copyOf(pieces), null);
    }

    private long length(long at, int block, int end) {
        return now.blockLength((at << (now.chunkLog() - Geometry.BLOCK_LOG)) + block, end - block);
    }

    private void add(Part part) {
        if (moving == null) {
            ready.add(part);
            return;
        }
        waiting.add(part);
        if (waiting.size() > MOST_WAITING) {
            stay();
        }
    }

    /// a chunk whose payload is that of one node
    private void place(Data data, Source whole) {
        boolean next = moving != null && moving.layer == whole.layer && moving.frame.equals(whole.frame) && moved == whole.at;
        if (!next) {
            stay();
            if (whole.at != 0 || !worthMoving(whole.frame)) {
                ready.add(data);
                return;
            }
            moving = whole;
            moved = 0;
        }
        waiting.add(new Data(data.chunk, data.hash, data.extents, data.pieces, whole));
        moved += data.payload();
        if (moved == whole.frame.contentSize()) {
            ready.addAll(waiting);
            waiting.clear();
            moving = null;
        }
    }

    private boolean worthMoving(Node.Frame frame) {
        return first == 0 || frame.contentSize() >= LEAST_MOVED;
    }

    /// the frame that was about to move does not
    private void stay() {
        moving = null;
        for (Part part : waiting) {
            ready.add(part instanceof Data data ? new Data(data.chunk, data.hash, data.extents, data.pieces, null) : part);
        }
        waiting.clear();
    }
}
