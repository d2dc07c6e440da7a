package varve.archive.chain;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import varve.archive.block.Geometry;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.TreeMerge;

/// A path of archives, full first, opened as one table of nodes: the device at the state that the last one leads to.
///
/// Opening maps tables and replays nothing. For each chunk the newest archive that lists it decides: its node has the
/// hash, and no older node can reach into it, since a delta that touches a part of a zero node lists the rest as well
/// (FORMAT.md section 5.2). That the nodes found so combine to the recorded root (F031) is checked before a chain exists.
///
/// Safe for use by several threads. Close it.
public final class Chain implements Closeable {

    private final List<Layer> layers;
    private final State state;
    private final Geometry geometry;

    /// A node of the device and the archive that lists it.
    ///
    /// @param layer 0 for the full
    /// @param row in that archive's node table
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
        List<Layer> layers = new ArrayList<>();
        try {
            for (StoredArchive archive : path) {
                layers.add(new Layer(archive));
            }
            return new Chain(List.copyOf(layers));
        } catch (Throwable e) {
            for (Layer layer : layers) {
                layer.close();
            }
            throw e;
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
        return find(layers.size() - 1, chunk);
    }

    /// {@return the node that held `chunk` when the archive of a layer was the newest}
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
        ChainCursor cursor = new ChainCursor(layers.stream().map(Layer::index).toList());
        for (long chunk = 0; chunk < geometry.chunks(); ) {
            int layer = cursor.advance(chunk);
            if (layer < 0) {
                throw new CorruptException(Rule.F031, name(), "no archive lists chunk " + chunk);
            }
            long row = cursor.row(layer);
            Node node = layers.get(layer).index().node(row);
            visitor.node(new Found(layer, row, node));
            chunk = node.end();
        }
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

    /// a kept zero node says that the parent is zero there: F022
    private void checkKeptZeros() throws CorruptException {
        for (int layer = 1; layer < layers.size(); layer++) {
            Index index = layers.get(layer).index();
            for (long row = 0; index.keepsZeros() && row < index.nodes(); row++) {
                Node node = index.node(row);
                if (node.zero() && node.extent() == index.extentEnd(row)) {
                    checkZero(layer - 1, node);
                }
            }
        }
    }

    private void checkZero(int layer, Node kept) throws CorruptException {
        for (long chunk = kept.chunk(); chunk < kept.end(); ) {
            Node node = find(layer, chunk).node();
            if (!node.zero()) {
                String where = layers.get(layer + 1).archive().index().getFileName().toString();
                throw new CorruptException(
                        Rule.F022, where, "chunk " + chunk + " is kept as zero, but the parent has data there");
            }
            chunk = node.end();
        }
    }

    /// Combines the hashes of the device as it was when the archive of a layer was the newest. (For the last layer this was
    /// done when the chain was opened.)
    ///
    /// @throws CorruptException F031, if the result is not the root that the archive records
    public void proveRoot(int newest) throws CorruptException {
        String where = archive(newest).manifest().baseName();
        Geometry then = index(newest).geometry();
        State recorded = index(newest).state();
        TreeMerge merge = new TreeMerge();
        Hash root = Empty.ROOT;
        for (long chunk = 0; chunk < then.chunks(); ) {
            Node node = find(newest, chunk).node();
            if (node.end() > then.chunks()) {
                throw new CorruptException(Rule.F031, where, "a node reaches past the end of the device");
            }
            if (node.count() >= then.chunks() && !then.single()) {
                throw new CorruptException(Rule.F031, where, "one node covers the whole device");
            }
            root = node.hash();
            try {
                merge.add(root, then.length(node.chunk(), node.count()));
            } catch (IllegalArgumentException | IllegalStateException e) {
                throw new CorruptException(Rule.F031, where, e.getMessage());
            }
            chunk = node.end();
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
