package varve.verify;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.chain.History;
import varve.archive.file.DataCopies;
import varve.archive.file.Index;
import varve.archive.file.Reading;
import varve.archive.file.StoredArchive;
import varve.archive.format.Node;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// All archives of a volume in all folders at hand, and the device, as places where bytes may be found that are lost elsewhere.
///
/// For one thread. Close it.
final class Relatives implements Closeable {

    private static final int MOST_CHAINS = 4;

    private final History history;
    private final Optional<? extends BlockSource> device;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final Map<StoredArchive, Optional<Index>> indexes = new LinkedHashMap<>();
    private final Map<StoredArchive, Optional<Opened>> chains = new LinkedHashMap<>();

    /// A chain that ends with an archive.
    record Opened(Chain chain, ChainReader reader) implements Closeable {
        int layer() {
            return chain.length() - 1;
        }

        @Override
        public void close() throws IOException {
            reader.close();
            chain.close();
        }
    }

    /// Takes the frame of another archive that seems to hold the same.
    interface TwinTaker {
        /// @param from where it is from, in reports
        /// @return whether no more are wanted
        boolean take(MemorySegment bytes, String from) throws IOException;
    }

    Relatives(History history, Optional<? extends BlockSource> device) {
        this.history = history;
        this.device = device;
    }

    /// {@return the tables of an archive, if they are to be had}
    private @Nullable Index index(StoredArchive archive) {
        return indexes.computeIfAbsent(archive, a -> {
            try {
                return Optional.of(a.openIndex());
            } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
                return Optional.empty();
            }
        }).orElse(null);
    }

    /// {@return the cheapest chain that ends with an archive, if there is one; it stays open until three others were asked for}
    Optional<Opened> through(StoredArchive archive) throws IOException {
        Optional<Opened> known = chains.remove(archive);
        if (known == null) {
            if (chains.size() >= MOST_CHAINS) {
                Optional<Opened> oldest = chains.remove(chains.keySet().iterator().next());
                if (oldest.isPresent()) {
                    oldest.get().close();
                }
            }
            known = open(archive);
        }
        chains.put(archive, known);
        return known;
    }

    private Optional<Opened> open(StoredArchive archive) throws IOException {
        List<StoredArchive> path = new ArrayList<>();
        if (index(archive) == null) {
            return Optional.empty();
        }
        if (!index(archive).full()) {
            Optional<List<StoredArchive>> below =
                    history.path(archive.manifest().parent(), a -> a.dataAtHand() && !a.equals(archive) && index(a) != null);
            if (below.isEmpty()) {
                return Optional.empty();
            }
            path.addAll(below.get());
        }
        path.add(archive);
        try {
            Chain chain = Chain.open(path);
            return Optional.of(new Opened(chain, new ChainReader(chain)));
        } catch (IOException | RuntimeException | InternalError e) {
            return Optional.empty();
        }
    }

    /// Finds the content of a chunk in other archives, or on the device.
    ///
    /// @param except where it is not to be sought
    /// @param geometry of the device as it was then
    /// @param into native memory of the chunk's length
    /// @return where it was found, proved by its hash, or null
    @Nullable String chunk(StoredArchive except, Geometry geometry, long chunk, Hash hash, MemorySegment into) throws IOException {
        for (StoredArchive archive : history.archives().reversed()) {
            if (!archive.equals(except) && archive.dataAtHand() && lists(archive, geometry, chunk, hash) && read(archive, chunk, into)) {
                return archive.data().getFileName().toString();
            }
        }
        if (device.isPresent() && device.get().size() - geometry.offset(chunk) >= into.byteSize()) {
            try {
                device.get().read(geometry.offset(chunk), into);
            } catch (IOException e) {
                return null;
            }
            Hash found = geometry.single() ? hasher.whole(into) : hasher.subtree(into, geometry.offset(chunk));
            return found.equals(hash) ? device.get().name() : null;
        }
        return null;
    }

    private boolean lists(StoredArchive archive, Geometry geometry, long chunk, Hash hash) throws IOException {
        Index index = index(archive);
        long row = index == null ? -1 : index.find(chunk);
        return row >= 0
                && index.node(row).hash().equals(hash)
                && !index.node(row).zero()
                && index.geometry().single() == geometry.single()
                && index.geometry().length(chunk, 1) == geometry.length(chunk, 1);
    }

    private boolean read(StoredArchive archive, long chunk, MemorySegment into) throws IOException {
        Optional<Opened> opened = through(archive);
        try {
            if (opened.isPresent()) {
                opened.get().reader.read(opened.get().layer(), chunk, into);
                return true;
            }
        } catch (IOException | RuntimeException | InternalError e) {
            // the next may be better
        }
        return false;
    }

    /// Offers the frames of other archives that begin with the same node and have the same size: consolidation moves frames verbatim.
    ///
    /// @param node the first of the frame that is sought
    /// @param room for a frame
    void twins(StoredArchive except, Node node, MemorySegment room, TwinTaker taker) throws IOException {
        for (StoredArchive archive : history.archives()) {
            Index index = archive.equals(except) || !archive.dataAtHand() ? null : index(archive);
            long row = index == null ? -1 : index.find(node.chunk());
            if (row < 0) {
                continue;
            }
            Node twin = index.node(row);
            boolean like = twin.hash().equals(node.hash())
                    && twin.payloadAt() == node.payloadAt()
                    && twin.frame().size() == node.frame().size()
                    && twin.frame().contentSize() == node.frame().contentSize();
            if (like && offer(archive, twin.frame(), room, taker)) {
                return;
            }
        }
    }

    private static boolean offer(StoredArchive archive, Node.Frame frame, MemorySegment room, TwinTaker taker) throws IOException {
        try (DataCopies copies = archive.openCopies(true, Reading.ONCE)) {
            for (int i = 0; i < copies.count(); i++) {
                MemorySegment bytes;
                try {
                    bytes = copies.read(i, frame, room);
                } catch (IOException e) {
                    continue;
                }
                if (taker.take(bytes, archive.data().getFileName().toString())) {
                    return true;
                }
            }
        } catch (IOException e) {
            // the next may be better
        }
        return false;
    }

    @Override
    public void close() throws IOException {
        for (Optional<Index> index : indexes.values()) {
            index.ifPresent(Index::close);
        }
        for (Optional<Opened> opened : chains.values()) {
            if (opened.isPresent()) {
                opened.get().close();
            }
        }
    }
}
