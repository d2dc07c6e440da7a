package varve.archive.chain;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.file.Index;
import varve.archive.file.Reading;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.TreeMerge;
import varve.archive.seal.WrongKeyException;

/// A path of archives, full first, opened as one table of nodes: the device at the state that the last one leads to.
///
/// Opening maps tables and replays nothing. For each chunk the newest archive that lists it decides: its node has the
/// hash, unless it is a zero node of which a part is listed by a newer one: what is left of it is hashed again ([NodeWalk]). That
/// the nodes found so combine to the recorded root (F031) is checked before a chain exists.
///
/// Safe for use by several threads. Close it.
public final class Chain implements Closeable {

    /// data files that are kept open
    private static final int MOST_OPEN = 64;

    private final List<Layer> layers;
    private final State state;
    private final Geometry geometry;
    private final NavigableMap<Long, Found> cut = new TreeMap<>();
    private final AtomicInteger detours = new AtomicInteger(-1);

    /// A node of the device and the archive that lists it.
    ///
    /// @param layer 0 for the full
    /// @param row in that archive's node table
    /// @param node as it is there, or a part of it that was cut anew since a newer archive lists the rest
    public record Found(int layer, long row, Node node) {}

    /// Takes the nodes of the device, in order.
    @FunctionalInterface
    public interface Visitor {
        void node(Found found) throws IOException;
    }

    private Chain(List<Layer> layers) throws IOException {
        this.layers = layers;
        this.state = layers.getLast().index().state();
        this.geometry = layers.getLast().index().geometry();
        checkLinks();
        checkKeptZeros();
        proveRoot(layers.size() - 1);
    }

    /// Opens a path of archives.
    ///
    /// @param path full first, each delta's parent the state before it
    /// @throws CorruptException if the tables are damaged, or do not combine to the root
    public static Chain open(List<StoredArchive> path) throws IOException {
        return open(path, Reading.ONCE);
    }

    /// Opens a path of archives.
    ///
    /// @param path full first, each delta's parent the state before it
    /// @param reading of the data files
    /// @throws CorruptException if the tables are damaged, or do not combine to the root
    public static Chain open(List<StoredArchive> path, Reading reading) throws IOException {
        return open(path, reading, archive -> Optional.empty());
    }

    /// Opens a path of archives of which tables may be open already, so that none are checked twice.
    ///
    /// @param path full first, each delta's parent the state before it
    /// @param opened the tables of an archive, if they are open; they stay so when the chain is closed, and must until then
    /// @throws CorruptException if the tables are damaged, or do not combine to the root
    public static Chain open(List<StoredArchive> path, Function<StoredArchive, Optional<Index>> opened) throws IOException {
        return open(path, Reading.ONCE, opened);
    }

    private static Chain open(List<StoredArchive> path, Reading reading, Function<StoredArchive, Optional<Index>> opened) throws IOException {
        List<Attempt> attempts = path.parallelStream()
                .map(archive -> Attempt.at(() -> new Layer(archive, opened.apply(archive), path.size() <= MOST_OPEN, reading)))
                .toList();
        List<Layer> layers = attempts.stream().flatMap(attempt -> attempt.layer.stream()).toList();
        try {
            for (Attempt attempt : attempts) {
                if (attempt.error.isPresent()) {
                    throw attempt.error.get();
                }
            }
            return new Chain(layers);
        } catch (Throwable e) {
            for (Layer layer : layers) {
                layer.close();
            }
            throw e;
        }
    }

    /// A layer, or why it cannot be opened. Layers are opened on all processors, since each checks all rows of its tables.
    private record Attempt(Optional<Layer> layer, Optional<IOException> error) {
        interface Opening {
            Layer open() throws IOException;
        }

        static Attempt at(Opening opening) {
            try {
                return new Attempt(Optional.of(opening.open()), Optional.empty());
            } catch (IOException e) {
                return new Attempt(Optional.empty(), Optional.of(e));
            }
        }
    }

    /// Opens the data files, so that a key that is missing shows now, and those that are removed meanwhile are not missed; of a chain of more than 64 archives
    /// they are opened for each read. All else that is wrong with them shows when they are read.
    ///
    /// @throws WrongKeyException if no key at hand opens one of them
    public void openData() throws WrongKeyException {
        for (Layer layer : layers) {
            try {
                layer.data();
            } catch (WrongKeyException e) {
                throw e;
            } catch (IOException e) {
                // nobody may ever read what it holds
            }
        }
    }

    public State state() {
        return state;
    }

    public Geometry geometry() {
        return geometry;
    }

    /// {@return number of archives}
    public int length() {
        return layers.size();
    }

    /// {@return the archive of a layer, 0 for the full}
    public StoredArchive archive(int layer) {
        return layers.get(layer).archive();
    }

    /// {@return in how many folders a data file may be at most that the content at a layer is put together from}
    int copies(int newest) {
        return layers.subList(0, newest + 1).stream().mapToInt(layer -> layer.archive().folders().size()).max().orElse(1);
    }

    /// Notes that a reader took content from other copies of data files than the first: of a layer or one below it.
    void detour(int layer) {
        detours.accumulateAndGet(layer, Math::max);
    }

    /// {@return whether something of a layer may have been read from another copy than [StoredArchive#data], which was no good}
    public boolean detoured(int layer) {
        return layer <= detours.get() && archive(layer).folders().size() > 1 || layers.get(layer).passesOverFirst();
    }

    /// {@return the tables of a layer}
    public Index index(int layer) {
        return layers.get(layer).index();
    }

    /// {@return size of the largest content of a frame of a delta}
    public int largestContent() {
        return layers.stream().skip(1).mapToInt(layer -> layer.index().largestContent()).max().orElse(0);
    }

    Layer layer(int number) {
        return layers.get(number);
    }

    /// {@return the node that holds `chunk`}
    /// @param chunk inside of the device
    public Found find(long chunk) throws CorruptException {
        Map.Entry<Long, Found> piece = cut.floorEntry(chunk);
        return piece != null && chunk < piece.getValue().node().end()
                ? piece.getValue()
                : find(layers.size() - 1, chunk);
    }

    /// {@return the newest node that held `chunk` when the archive of a layer was the newest; of zero nodes perhaps only a part
    /// counted then}
    /// @param chunk inside of the device as it was then
    public Found find(int newest, long chunk) throws CorruptException {
        for (int layer = newest; layer >= 0; layer--) {
            Index index = layers.get(layer).index();
            long row = index.find(chunk);
            if (row >= 0) {
                return new Found(layer, row, index.node(row));
            }
        }
        throw new CorruptException(Rule.F031, name(), "no archive lists chunk " + chunk);
    }

    /// {@return whether the payload of a layer has a part in a chunk, as the device is at the end of the chain}
    public boolean uses(int layer, long chunk) throws CorruptException {
        int blocks = (int) ((geometry.length(chunk, 1) + Geometry.BLOCK_SIZE - 1) >>> Geometry.BLOCK_LOG);
        long firstBlock = chunk << (geometry.chunkLog() - Geometry.BLOCK_LOG);
        BitSet filled = new BitSet();
        for (int at = find(chunk).layer(); at >= layer && filled.nextClearBit(0) < blocks; at--) {
            Index index = layers.get(at).index();
            long row = index.find(chunk);
            if (row >= 0 && index.node(row).zero()) {
                return false;
            }
            if (row >= 0 && index.full()) {
                return at == layer;
            }
            long end = row < 0 ? 0 : index.extentEnd(row);
            for (long e = row < 0 ? 0 : index.node(row).extent(); e < end; e++) {
                Extent extent = index.extent(e);
                int from = (int) (extent.first() - firstBlock);
                if (at == layer && extent.data() && filled.nextClearBit(from) < extent.end() - firstBlock) {
                    return true;
                }
                filled.set(from, (int) (extent.end() - firstBlock));
            }
        }
        return false;
    }

    /// Visits all nodes of the device in order.
    public void forEachNode(Visitor visitor) throws IOException {
        NodeWalk walk = new NodeWalk(indexes(layers.size()), cut, name());
        for (Found found = walk.next(); found != null; found = walk.next()) {
            visitor.node(found);
        }
    }

    /// {@return the nodes of the device as it was when the archive of a layer was the newest}
    NodeWalk walk(int newest) {
        return new NodeWalk(indexes(newest + 1), newest == layers.size() - 1 ? cut : new TreeMap<>(), archive(newest).manifest().baseName());
    }

    private List<Index> indexes(int count) {
        return layers.subList(0, count).stream().map(Layer::index).toList();
    }

    String name() {
        return archive(length() - 1).manifest().baseName();
    }

    private void checkLinks() throws BrokenChainException {
        State here = State.NOTHING;
        for (Layer layer : layers) {
            State parent = layer.index().header().parent();
            if (!parent.equals(here)) {
                throw new BrokenChainException(layer.archive().data() + ": applies to " + parent + ", not to " + here);
            }
            here = layer.index().state();
        }
    }

    private void checkKeptZeros() throws CorruptException {
        for (int layer = 1; layer < layers.size(); layer++) {
            String where = layers.get(layer).archive().index().getFileName().toString();
            checkKeptZeros(layer - 1, layers.get(layer).index(), where);
        }
    }

    /// a kept zero node says that the parent is zero there: F022
    private void checkKeptZeros(int below, Index index, String where) throws CorruptException {
        if (!index.keepsZeros()) {
            return;
        }
        ChainCursor cursor = new ChainCursor(indexes(below + 1));
        for (long row = 0; row < index.nodes(); row++) {
            Node node = index.node(row);
            if (!node.zero() || node.extent() < index.extentEnd(row)) {
                continue;
            }
            for (long chunk = node.chunk(); chunk < node.end(); ) {
                int layer = cursor.advance(chunk);
                Node old = layer < 0 ? null : cursor.node(layer);
                if (old == null || !old.zero()) {
                    throw new CorruptException(
                            Rule.F022, where, "chunk " + chunk + " is kept as zero, but the parent has no zeros there");
                }
                chunk = cursor.end(layer);
            }
        }
    }

    /// Combines the hashes of the device as it was when the archive of a layer was the newest. (For the last layer this was
    /// done when the chain was opened.)
    ///
    /// @throws CorruptException F031, if the result is not the root that the archive records
    public void proveRoot(int newest) throws CorruptException {
        proveRoot(index(newest), newest == 0 ? rows(index(0)) : nodes(walk(newest)), archive(newest).manifest().baseName());
    }

    /// Checks the tables of an archive that applies to the device as it was when the archive of a layer was the newest.
    ///
    /// @param where its name, for messages
    /// @throws CorruptException F022, F031
    public void proveOnTop(int newest, Index index, String where) throws CorruptException {
        checkKeptZeros(newest, index, where);
        List<Index> indexes = new ArrayList<>(indexes(newest + 1));
        indexes.add(index);
        proveRoot(index, nodes(new NodeWalk(indexes, new TreeMap<>(), where)), where);
    }

    /// Hands out the nodes of a device, in order.
    private interface Nodes {
        /// {@return the next node, or null after the last}
        @Nullable Node next() throws CorruptException;
    }

    private static Nodes nodes(NodeWalk walk) {
        return () -> {
            Found found = walk.next();
            return found == null ? null : found.node();
        };
    }

    /// the nodes of a full, all of which count: its zero nodes were checked to be cut as they are to be (F021)
    private static Nodes rows(Index full) {
        return new Nodes() {
            private long row;

            @Override
            public @Nullable Node next() throws CorruptException {
                return row < full.nodes() ? full.node(row++) : null;
            }
        };
    }

    private static void proveRoot(Index newest, Nodes nodes, String where) throws CorruptException {
        Geometry then = newest.geometry();
        State recorded = newest.state();
        TreeMerge merge = new TreeMerge();
        Hash root = Empty.ROOT;
        for (Node node = nodes.next(); node != null; node = nodes.next()) {
            root = node.hash();
            try {
                merge.add(root, then.length(node.chunk(), node.count()));
            } catch (IllegalArgumentException | IllegalStateException e) {
                throw new CorruptException(Rule.F031, where, e.getMessage());
            }
        }
        if (!then.single()) {
            root = merge.root();
        }
        if (!root.equals(recorded.root())) {
            throw new CorruptException(Rule.F031, where, "expected " + recorded.root() + ", found " + root);
        }
    }

    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (Layer layer : layers) {
            try {
                layer.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
