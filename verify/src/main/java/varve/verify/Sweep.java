package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.codec.FrameDecoder;
import varve.archive.codec.ZeroFrame;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.verify.work.Crew;
import varve.verify.work.Rooms;

/// Reads data files of one chain once, side by side from their beginnings to their ends, and proves on the way what was asked
/// for: their 1 MiB groups, and the nodes whose frames lie in them, each as of its own point in time.
///
/// Frames ascend in each file as chunks do in the device. So a pass over the device is a pass over all files: for each
/// chunk its frame in the full is decoded once, then what the deltas changed is put over it layer by layer ([Column]), and
/// at each layer the hash has to be that of the layer's node. What of a file is read, is read as [Slab]s; frames of deltas
/// hold many chunks and are shared ([SharedFrame]).
///
/// The leading thread cuts the work: slabs, and runs of chunks whose slabs were cut before. Work is done in that order, so a run
/// never waits for a slab that nobody reads. What lies outside of the files at hand (archives below, that were proved before or
/// are not to be) is read chunk by chunk ([ChainReader]).
final class Sweep {

    /// so many files are read side by side at most: each has a slab and a frame in memory
    static final int MOST_STRANDS = 32;

    private static final long CONTENT = 8L << 20;
    private static final long MOST_ROWS = 1 << 14;

    private final List<Strand> strands;
    private final @Nullable Content content;

    /// What is to be proved of the content.
    ///
    /// @param live whether just those nodes are wanted that no newer layer replaces
    /// @param hashZeros whether zeros are to be hashed again, for the hashes of zero nodes
    record Content(Chain chain, boolean live, boolean hashZeros) {

        Index index(Strand strand) {
            return chain.index(strand.layer());
        }

        /// {@return bytes that are to be hashed for a node}
        long work(Strand strand, Node node) {
            return node.zero() && !hashZeros ? 0 : index(strand).geometry().length(node.chunk(), node.count());
        }

        boolean wants(Strand strand, Node node) throws CorruptException {
            return !live || chain.find(node.chunk()).layer() == strand.layer();
        }

        String where(Strand strand, Node node) {
            return chain.archive(strand.layer()).data().getFileName() + ": chunk " + node.chunk() + " at "
                    + index(strand).geometry().offset(node.chunk());
        }
    }

    /// What was seen in one piece of work.
    static final class Seen {
        /// of one strand, in order
        final List<Slab.Group> groups = new ArrayList<>();
        /// whose groups these are
        @Nullable Strand strand;
        /// bytes of them
        long size;
        /// nodes that could not be proved
        final List<Fault> faults = new ArrayList<>();
        /// bytes of the device whose hashes were computed
        long proved;
        /// bytes of the device in zero nodes whose hashes were taken from the tables
        long zeros;
    }

    /// A node that could not be proved.
    record Fault(Strand strand, Node node, Throwable cause) {}

    /// A piece of work.
    private sealed interface Work {
        /// A slab to be read.
        record Load(Slab slab) implements Work {}

        /// A run of chunks to be proved.
        record Prove(List<Rows> rows) implements Work {}
    }

    /// The nodes of one strand in a run of chunks.
    ///
    /// @param slabs in which the frames of a full lie, in order; held
    /// @param frames of a delta, in order; held
    private record Rows(Strand strand, long from, long to, List<Slab> slabs, List<SharedFrame> frames) {
        void letGo() {
            slabs.forEach(Slab::letGo);
            frames.forEach(SharedFrame::letGo);
        }
    }

    /// @param strands ascending by layer, at most [#MOST_STRANDS]
    /// @param content null if only groups are to be proved
    Sweep(List<Strand> strands, @Nullable Content content) {
        this.strands = List.copyOf(strands);
        this.content = content;
    }

    void run(int threads, Crew.Taker<Seen> results) throws IOException {
        try (Rooms rooms = new Rooms();
                Crew<Bench> crew = new Crew<>(threads, () -> new Bench(content, rooms))) {
            crew.run(new Cutting(rooms), Sweep::work, results);
        }
    }

    private static Seen work(Bench bench, Work work) throws IOException {
        Seen seen = new Seen();
        switch (work) {
            case Work.Load(Slab slab) -> {
                try {
                    seen.groups.addAll(slab.load(bench.hasher));
                    seen.strand = slab.strand();
                    seen.size = slab.end() - slab.position();
                } finally {
                    slab.letGo();
                }
            }
            case Work.Prove(List<Rows> rows) -> {
                try {
                    new Proving(bench, rows, seen).run();
                } finally {
                    rows.forEach(Rows::letGo);
                }
            }
        }
        return seen;
    }

    // ---- cutting

    /// How far the cutting of one strand is.
    private final class Cut {
        final Strand strand;
        final boolean full;
        final long rows;
        long row;
        long position; // up to which there are slabs
        final Deque<Slab> slabs = new ArrayDeque<>(); // that frames to come may lie in; held
        @Nullable SharedFrame frame; // the last one, which may hold chunks to come; held
        @Nullable Node next; // in `row`

        Cut(Strand strand) {
            this.strand = strand;
            this.position = strand.from();
            boolean proves = strand.layer() != Strand.NO_CONTENT;
            this.full = proves && content.index(strand).full();
            this.rows = proves ? content.index(strand).nodes() : 0;
        }

        /// moves to the first row that is to be proved
        void begin() throws CorruptException {
            if (strand.from() > 0 && rows > 0) {
                row = content.index(strand).rowAfter(strand.from());
                while (row < rows && content.index(strand).node(row).frame().position() < strand.from()) { // one that began before
                    row++;
                }
            }
            look();
        }

        /// looks at the next row: it belongs here as long as frames do, and those without one go with the one before
        void look() throws CorruptException {
            next = row < rows ? content.index(strand).node(row) : null;
            if (next != null && next.frame().size() > 0 && strand.start(next.frame()) >= strand.to()) {
                next = null;
            }
        }
    }

    /// Cuts slabs and runs of chunks, in an order in which no run waits for a slab behind it.
    private final class Cutting implements Iterator<Work> {

        private final Rooms rooms;
        private final List<Cut> cuts = new ArrayList<>();
        private final Deque<Work> ready = new ArrayDeque<>();
        private boolean begun;

        Cutting(Rooms rooms) {
            this.rooms = rooms;
            strands.forEach(strand -> cuts.add(new Cut(strand)));
        }

        @Override
        public boolean hasNext() {
            try {
                if (!begun) {
                    begun = true;
                    for (Cut cut : cuts) {
                        cut.begin();
                    }
                }
                if (ready.isEmpty()) {
                    cutRun();
                }
                return !ready.isEmpty();
            } catch (CorruptException e) {
                throw new IllegalStateException(e); // every row was checked when the tables were opened
            }
        }

        @Override
        public Work next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return ready.remove();
        }

        private void cutRun() throws CorruptException {
            long[] first = new long[cuts.size()];
            for (int i = 0; i < first.length; i++) {
                first[i] = cuts.get(i).row;
            }
            List<Rows> run = new ArrayList<>();
            cuts.forEach(cut -> run.add(new Rows(cut.strand, cut.row, cut.row, new ArrayList<>(), new ArrayList<>())));
            long work = 0;
            long count = 0;
            for (long chunk = nextChunk(); chunk < Long.MAX_VALUE && work < CONTENT && count < MOST_ROWS && ready.size() < 2; chunk = nextChunk()) {
                for (int i = 0; i < first.length; i++) {
                    Cut cut = cuts.get(i);
                    if (cut.next != null && cut.next.chunk() == chunk) {
                        work += content.work(cut.strand, cut.next);
                        count++;
                        take(cut, cut.next, run.get(i));
                        cut.row++;
                        cut.look();
                    }
                }
            }
            if (count > 0) {
                List<Rows> rows = new ArrayList<>();
                for (int i = 0; i < first.length; i++) {
                    Rows r = run.get(i);
                    if (cuts.get(i).row > first[i]) {
                        rows.add(new Rows(r.strand, first[i], cuts.get(i).row, r.slabs, r.frames));
                    }
                }
                ready.add(new Work.Prove(rows));
                return;
            }
            for (Cut cut : cuts) { // what has no frames any more: tables, and the rest of what is not proved
                letGo(cut, Long.MAX_VALUE);
                if (cut.position < cut.strand.to()) {
                    load(cut);
                    letGo(cut, Long.MAX_VALUE);
                    return;
                }
            }
        }

        private long nextChunk() {
            long chunk = Long.MAX_VALUE;
            for (Cut cut : cuts) {
                if (cut.next != null) {
                    chunk = Math.min(chunk, cut.next.chunk());
                }
            }
            return chunk;
        }

        /// makes sure that the slabs of a node's frame are on their way, and holds what the run needs of them
        private void take(Cut cut, Node node, Rows rows) {
            Node.Frame frame = node.frame();
            if (frame.size() == 0) {
                return;
            }
            if (!cut.full && cut.frame != null && cut.frame.frame().position() == frame.position()) {
                holdOnce(rows.frames, cut.frame);
                return;
            }
            letGo(cut, cut.strand.start(frame));
            long end = cut.strand.end(frame);
            while (cut.position < Math.min(end, cut.strand.file().size())) {
                load(cut);
            }
            List<Slab> slabs = cut.slabs.stream().filter(slab -> slab.position() < end).toList();
            if (cut.full) {
                for (Slab slab : slabs) {
                    if (!rows.slabs.contains(slab)) {
                        slab.hold();
                        rows.slabs.add(slab);
                    }
                }
            } else {
                cut.frame = new SharedFrame(cut.strand, frame, slabs, rooms);
                holdOnce(rows.frames, cut.frame);
            }
        }

        private static void holdOnce(List<SharedFrame> frames, SharedFrame frame) {
            if (frames.isEmpty() || frames.getLast() != frame) {
                frame.hold();
                frames.add(frame);
            }
        }

        private void load(Cut cut) {
            // slabs begin at multiples of their size, so that they are the same whatever part of the file is read
            long most = cut.position < cut.strand.to() ? cut.strand.to() : cut.strand.file().size(); // for the end of a frame
            long end = Math.min(most, cut.position / Slab.SIZE * Slab.SIZE + Slab.SIZE);
            Slab slab = new Slab(cut.strand, cut.position, end - cut.position, rooms);
            slab.hold(); // one for the load, one for us
            cut.slabs.add(slab);
            cut.position = end;
            ready.add(new Work.Load(slab));
        }

        /// lets go of slabs that end before a position, and of the frame before it
        private void letGo(Cut cut, long position) {
            while (!cut.slabs.isEmpty() && cut.slabs.getFirst().end() <= position) {
                cut.slabs.remove().letGo();
            }
            if (cut.frame != null) {
                cut.frame.letGo();
                cut.frame = null;
            }
        }
    }

    // ---- proving

    /// One run of chunks at work.
    private static final class Proving {

        private final Bench bench;
        private final Content content;
        private final Seen seen;
        private final List<Rows> rows;
        private final long[] row;
        private final @Nullable Node[] nodes; // null if the run has no more of the strand
        private final int[] frame;

        Proving(Bench bench, List<Rows> rows, Seen seen) {
            this.bench = bench;
            this.content = bench.content;
            this.rows = rows;
            this.seen = seen;
            this.row = rows.stream().mapToLong(Rows::from).toArray();
            this.nodes = new Node[row.length];
            this.frame = new int[row.length];
        }

        void run() throws IOException {
            for (int i = 0; i < row.length; i++) {
                look(i);
            }
            boolean[] here = new boolean[row.length];
            while (true) {
                long chunk = Long.MAX_VALUE;
                for (Node node : nodes) {
                    chunk = node == null ? chunk : Math.min(chunk, node.chunk());
                }
                if (chunk == Long.MAX_VALUE) {
                    return;
                }
                for (int i = 0; i < row.length; i++) {
                    here[i] = nodes[i] != null && nodes[i].chunk() == chunk;
                }
                prove(here);
                for (int i = 0; i < row.length; i++) {
                    if (here[i]) {
                        row[i]++;
                        look(i);
                    }
                }
            }
        }

        private void look(int i) throws CorruptException {
            nodes[i] = row[i] < rows.get(i).to ? content.index(rows.get(i).strand).node(row[i]) : null;
        }

        /// proves the nodes that begin at one chunk, from the oldest layer up
        private void prove(boolean[] here) throws IOException {
            bench.column.forget();
            for (int i = base(here); i < here.length; i++) {
                if (here[i]) {
                    prove(i);
                }
            }
        }

        /// {@return where to begin: what only serves to be replaced is not decoded}
        private int base(boolean[] here) throws CorruptException {
            int last = here.length - 1;
            while (last >= 0 && !here[last]) {
                last--;
            }
            if (!content.live || last < 0) {
                return 0;
            }
            if (!content.wants(rows.get(last).strand, nodes[last])) {
                return here.length; // a zero node that begins before this chunk is on top
            }
            int first = last;
            while (first > 0 && !(here[first] && whole(first))) {
                first--;
            }
            return first;
        }

        private boolean whole(int i) throws CorruptException {
            Strand strand = rows.get(i).strand;
            return nodes[i].zero() || content.index(strand).full() || changed(i) == length(i);
        }

        private long length(int i) {
            return content.index(rows.get(i).strand).geometry().length(nodes[i].chunk(), nodes[i].count());
        }

        /// {@return bytes in the extents of a delta's node}
        private long changed(int i) throws CorruptException {
            Index index = content.index(rows.get(i).strand);
            long sum = 0;
            for (long e = nodes[i].extent(); e < index.extentEnd(row[i]); e++) {
                sum += index.geometry().blockLength(index.extent(e).first(), index.extent(e).count());
            }
            return sum;
        }

        private void prove(int i) throws IOException {
            Strand strand = rows.get(i).strand;
            Node node = nodes[i];
            boolean wanted = content.wants(strand, node);
            try {
                if (node.zero()) {
                    bench.column.zeros(strand.layer());
                    if (wanted) {
                        proveZeros(i, strand, node);
                    }
                } else {
                    compose(i, strand, node);
                    if (wanted) {
                        check(strand, node, bench.column.hash(content.index(strand).geometry(), node.chunk()));
                        seen.proved += length(i);
                    }
                }
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
                bench.column.forget();
                if (wanted) {
                    seen.faults.add(new Fault(strand, node, e));
                }
            }
        }

        private void check(Strand strand, Node node, Hash found) throws CorruptException {
            if (!found.equals(node.hash())) {
                throw new CorruptException(Rule.F026, content.where(strand, node), "expected " + node.hash() + ", found " + found);
            }
        }

        private void proveZeros(int i, Strand strand, Node node) throws IOException {
            Index index = content.index(strand);
            long length = length(i);
            if (index.full()) {
                MemorySegment bytes = frameBytes(i, node.frame());
                boolean right = bytes != null && ZeroFrame.is(length, bytes.asSlice(0, node.frame().size()), bench.scratch());
                giveBack(i, node.frame(), bytes);
                if (!right) {
                    throw new CorruptException(Rule.F011, content.where(strand, node),
                            "the frame at position " + node.frame().position() + (bytes == null ? " cannot be read" : " is another"));
                }
            }
            if (!content.hashZeros) {
                seen.zeros += length;
                return;
            }
            Geometry geometry = index.geometry();
            check(strand, node, geometry.single()
                    ? bench.hasher.whole(bench.scratch().asSlice(0, length).fill((byte) 0))
                    : bench.hasher.zeros(geometry.offset(node.chunk()), length));
            seen.proved += length;
        }

        /// brings the column to the content that a data node has
        private void compose(int i, Strand strand, Node node) throws IOException {
            Index index = content.index(strand);
            long length = length(i);
            if (index.full()) {
                decode(i, strand, node, bench.column.fill(strand.layer(), length));
                return;
            }
            if (changed(i) == length) {
                bench.column.fill(strand.layer(), length);
            } else {
                Chain.Found below = content.chain.find(strand.layer() - 1, node.chunk());
                if (below.node().zero()) {
                    bench.column.zeros(below.layer());
                } else if (!bench.column.holds(below.layer())) {
                    bench.reader().read(strand.layer(), node.chunk(), bench.column.fill(strand.layer(), length));
                    return;
                }
            }
            bench.column.stretch(strand.layer(), length);
            MemorySegment payload = null;
            long at = node.payloadAt();
            long start = index.geometry().offset(node.chunk());
            for (long e = node.extent(); e < index.extentEnd(row[i]); e++) {
                Extent extent = index.extent(e);
                long to = (extent.first() << Geometry.BLOCK_LOG) - start;
                long size = index.geometry().blockLength(extent.first(), extent.count());
                if (extent.data()) {
                    payload = payload == null ? payload(i, strand, node) : payload;
                    bench.column.put(to, payload, at, size);
                    at += size;
                } else {
                    bench.column.clear(to, size);
                }
            }
        }

        private void decode(int i, Strand strand, Node node, MemorySegment into) throws IOException {
            MemorySegment bytes = frameBytes(i, node.frame());
            if (bytes == null) {
                bench.reader().read(strand.layer(), node.chunk(), into); // a frame that goes on behind what is swept
                return;
            }
            boolean right = node.frame().contentSize() == into.byteSize() && bench.decoder.decode(bytes.asSlice(0, node.frame().size()), into);
            giveBack(i, node.frame(), bytes);
            if (!right) {
                throw undecodable(strand, node);
            }
        }

        private MemorySegment payload(int i, Strand strand, Node node) throws IOException {
            List<SharedFrame> frames = rows.get(i).frames;
            while (frames.get(frame[i]).frame().position() != node.frame().position()) {
                frame[i]++;
            }
            MemorySegment payload = frames.get(frame[i]).content(bench.decoder);
            if (payload == null) {
                throw undecodable(strand, node);
            }
            return payload;
        }

        private CorruptException undecodable(Strand strand, Node node) {
            return new CorruptException(Rule.F010, content.where(strand, node),
                    "frame of " + node.frame().size() + " bytes at position " + node.frame().position());
        }

        private @Nullable MemorySegment frameBytes(int i, Node.Frame frame) throws IOException {
            return SharedFrame.bytes(rows.get(i).strand, frame, slabs(i, frame), bench.rooms);
        }

        private List<Slab> slabs(int i, Node.Frame frame) {
            Strand strand = rows.get(i).strand;
            return rows.get(i).slabs.stream()
                    .filter(slab -> slab.position() < strand.end(frame) && slab.end() > strand.start(frame))
                    .toList();
        }

        /// gives a room back into which the bytes of several slabs were copied
        private void giveBack(int i, Node.Frame frame, @Nullable MemorySegment bytes) {
            if (bytes != null && SharedFrame.copies(rows.get(i).strand, slabs(i, frame))) {
                bench.rooms.giveBack(bytes);
            }
        }
    }

    /// What a worker works at: memory, hashers, and a reader of the chain for what lies outside of the sweep.
    private static final class Bench implements Crew.Bench {
        final SubtreeHasher hasher = new SubtreeHasher();
        final FrameDecoder decoder = new FrameDecoder();
        final Rooms rooms;
        final @Nullable Content content;
        final @Nullable Column column;
        private @Nullable ChainReader reader;
        private @Nullable MemorySegment scratch;

        Bench(@Nullable Content content, Rooms rooms) {
            this.content = content;
            this.rooms = rooms;
            this.column = content == null ? null : new Column(content.chain.geometry().chunkSize(), hasher);
        }

        ChainReader reader() {
            if (reader == null) {
                reader = new ChainReader(content.chain);
            }
            return reader;
        }

        MemorySegment scratch() {
            if (scratch == null) {
                scratch = rooms.take(Math.max(content.chain.geometry().chunkSize(), ZeroFrame.encodedSize(Geometry.MAX_ZERO_NODE)));
            }
            return scratch;
        }

        @Override
        public void close() {
            if (reader != null) {
                reader.close();
            }
            if (column != null) {
                column.close();
            }
            decoder.close();
        }
    }
}
