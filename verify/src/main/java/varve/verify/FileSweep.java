package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.codec.ZeroFrame;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// Reads one data file once, from its beginning to its end, and proves on the way what was asked for: its 1 MiB groups, and
/// the nodes whose frames lie in it.
///
/// The file is cut into units of whole groups. A worker reads a unit, and as much behind it as the last frame that begins
/// in it needs; hashes the groups; then lends the bytes to its [ChainReader], which puts the nodes of the unit together
/// and proves them. Nodes without a frame go with those before them. Where little stored means much content, the nodes of
/// a unit are shared out over several.
final class FileSweep {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;
    private static final long UNIT = 2L * GROUP;
    private static final long CONTENT = 32L << 20;

    private final FileDevice file;
    private final long size;
    private final boolean single;
    private final @Nullable Content content;
    private final long room;

    /// What is to be proved of the content.
    ///
    /// @param layer whose data file it is
    /// @param live whether just those nodes are wanted that no newer layer replaces
    /// @param hashZeros whether zeros are to be hashed again, for the hashes of zero nodes
    record Content(Chain chain, int layer, boolean live, boolean hashZeros) {

        Index index() {
            return chain.index(layer);
        }

        boolean wants(Node node) throws CorruptException {
            return !live || chain.find(node.chunk()).layer() == layer;
        }

        /// {@return bytes that are to be hashed for a node}
        long work(Node node) {
            return node.zero() && !hashZeros ? 0 : index().geometry().length(node.chunk(), node.count());
        }

        String where(Node node) {
            return chain.archive(layer).data().getFileName() + ": chunk " + node.chunk() + " at " + index().geometry().offset(node.chunk());
        }
    }

    /// What was seen in one unit.
    static final class Seen {
        /// bytes of groups
        long size;
        /// of the groups, in order
        final List<Group> groups = new ArrayList<>();
        /// nodes that could not be proved
        final List<Fault> faults = new ArrayList<>();
        /// bytes of the device whose hashes were computed
        long proved;
        /// bytes of the device in zero nodes whose hashes were taken from the tables
        long zeros;
    }

    /// A group of the file.
    ///
    /// @param hash null if the medium did not give it out
    /// @param failure what the medium said instead
    record Group(long position, long size, @Nullable Hash hash, @Nullable IOException failure) {}

    /// A node that could not be proved.
    record Fault(Node node, Throwable cause) {}

    /// @param start of what is to be read
    /// @param groups to `groupsEnd`: to be hashed
    /// @param end of what is to be read: behind the last frame
    private record Unit(long start, long groups, long groupsEnd, long end, long row, long rowEnd) {}

    /// @param size to be looked at: the file's own, or that of the manifest if it is smaller
    /// @param single whether the file should have but one group, whose hash is then the file's
    /// @param content null if only the groups are to be proved
    FileSweep(FileDevice file, long size, boolean single, @Nullable Content content) {
        this.file = file;
        this.size = size;
        this.single = single;
        this.content = content;
        long frame = content == null
                ? 0
                : Math.max(content.index().largestFrame(), ZeroFrame.encodedSize(Geometry.MAX_ZERO_NODE));
        this.room = Math.min(UNIT, size) + frame;
    }

    void run(int threads, Crew.Taker<Seen> results) throws IOException {
        if (size <= UNIT) { // not worth a crew
            try (Bench bench = new Bench(room, content, Arena.ofConfined())) {
                for (Units units = new Units(); units.hasNext(); ) {
                    results.take(look(bench, units.next()));
                }
            }
            return;
        }
        try (Crew<Bench> crew = new Crew<>(threads, () -> new Bench(room, content, Arena.ofShared()))) {
            crew.run(new Units(), this::look, results);
        }
    }

    /// Cuts the file, and with it the node table.
    private final class Units implements Iterator<Unit> {
        private final long rows = content == null ? 0 : content.index().nodes();
        private long position;
        private long row;
        private boolean more; // nodes of the groups up to `position`

        @Override
        public boolean hasNext() {
            return position < size || more;
        }

        @Override
        public Unit next() {
            try {
                return cut();
            } catch (CorruptException e) {
                throw new IllegalStateException(e); // every row was checked when the tables were opened
            }
        }

        private Unit cut() throws CorruptException {
            long groups = position;
            if (!more) {
                position = Math.min(size, position + UNIT);
            }
            long start = groups;
            long end = position;
            long firstRow = row;
            long bytes = 0;
            more = false;
            for (; row < rows; row++) {
                Node node = content.index().node(row);
                Node.Frame frame = node.frame();
                if (frame.size() > 0 && frame.position() >= position) {
                    break;
                }
                if (bytes >= CONTENT) {
                    more = true;
                    break;
                }
                bytes += content.work(node);
                if (frame.size() > 0) {
                    start = Math.min(start, frame.position());
                    end = Math.max(end, frame.end());
                }
            }
            return new Unit(start, groups, position, end, firstRow, row);
        }
    }

    private Seen look(Bench bench, Unit unit) throws IOException {
        Seen seen = new Seen();
        MemorySegment bytes = bench.room.asSlice(0, unit.end - unit.start);
        IOException failure = read(unit.start, bytes);
        for (long at = unit.groups; at < unit.groupsEnd; at += GROUP) {
            seen.groups.add(group(bench, at, bytes.asSlice(at - unit.start, Math.min(GROUP, unit.groupsEnd - at)), failure));
        }
        seen.size = unit.groupsEnd - unit.groups;
        if (content != null) {
            bench.lend(unit.start, failure == null ? bytes : MemorySegment.NULL);
            for (long row = unit.row; row < unit.rowEnd; row++) {
                prove(content.index().node(row), bench, seen);
            }
        }
        return seen;
    }

    private @Nullable IOException read(long position, MemorySegment into) throws InterruptedIOException {
        try {
            file.read(position, into);
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    private Group group(Bench bench, long position, MemorySegment bytes, @Nullable IOException unitFailure) throws IOException {
        if (unitFailure != null) {
            IOException failure = read(position, bytes); // to find out which of the groups it is
            if (failure != null) {
                return new Group(position, bytes.byteSize(), null, failure);
            }
        }
        return new Group(position, bytes.byteSize(), single ? bench.hasher.whole(bytes) : bench.hasher.subtree(bytes, position), null);
    }

    private void prove(Node node, Bench bench, Seen seen) {
        Geometry geometry = content.index().geometry();
        long length = geometry.length(node.chunk(), node.count());
        try {
            if (!content.wants(node)) {
                return;
            }
            if (!node.zero()) {
                bench.reader.read(content.layer(), node.chunk(), bench.chunk.asSlice(0, length));
                seen.proved += length;
                return;
            }
            if (content.index().full() && !ZeroFrame.is(length, zeroFrame(bench, node.frame()), bench.scratch)) {
                throw new CorruptException(Rule.F011, content.where(node), "the frame at position " + node.frame().position() + " is another");
            }
            if (!content.hashZeros()) {
                seen.zeros += length;
                return;
            }
            Hash hash = geometry.single() ? bench.hasher.whole(bench.chunk.asSlice(0, length).fill((byte) 0)) : bench.hasher.zeros(geometry.offset(node.chunk()), length);
            if (!hash.equals(node.hash())) {
                throw new CorruptException(Rule.F026, content.where(node), "expected " + node.hash() + ", found " + hash);
            }
            seen.proved += length;
        } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
            seen.faults.add(new Fault(node, e));
        }
    }

    private MemorySegment zeroFrame(Bench bench, Node.Frame frame) throws IOException {
        long at = frame.position() - bench.lentPosition;
        if (at >= 0 && frame.end() <= bench.lentPosition + bench.lent.byteSize()) {
            return bench.lent.asSlice(at, frame.size());
        }
        MemorySegment bytes = bench.room.asSlice(0, frame.size());
        file.read(frame.position(), bytes);
        return bytes;
    }

    /// What a worker works at: memory, a hasher, and a reader of the chain.
    private static final class Bench implements Crew.Bench {
        final Arena arena;
        final SubtreeHasher hasher = new SubtreeHasher();
        final MemorySegment room;
        final MemorySegment scratch;
        final MemorySegment chunk;
        final @Nullable ChainReader reader;
        private final int layer;
        private MemorySegment lent = MemorySegment.NULL;
        private long lentPosition;

        /// @param arena that it works in, closed with it
        Bench(long roomSize, @Nullable Content content, Arena arena) {
            this.arena = arena;
            room = arena.allocate(roomSize, 4096);
            scratch = arena.allocate(content == null ? 1 : ZeroFrame.encodedSize(Geometry.MAX_ZERO_NODE), 8);
            chunk = arena.allocate(content == null ? 1 : content.index().geometry().chunkSize(), 4096);
            reader = content == null ? null : new ChainReader(content.chain());
            layer = content == null ? 0 : content.layer();
        }

        void lend(long position, MemorySegment bytes) {
            lent = bytes;
            lentPosition = position;
            reader.offer(layer, position, bytes);
        }

        @Override
        public void close() {
            if (reader != null) {
                reader.close();
            }
            arena.close();
        }
    }
}
