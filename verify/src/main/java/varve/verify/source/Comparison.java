package varve.verify.source;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.partition.Partition;
import varve.archive.partition.PartitionTable;
import varve.archive.vault.Ranges;
import varve.verify.source.Differences.Found;
import varve.verify.source.Differences.InPartition;
import varve.verify.work.Watcher;

/// Compares a point in time with what the outside says.
///
/// A device is hashed, and its hashes are compared with those of the chain; only where they differ is the archive read, to see
/// which blocks do, and whether the archive still has what it recorded. Of hash lists the same, as far as they tell. For
/// hashes of other algorithms all of the archive has to be read.
public final class Comparison {

    private final Chain chain;
    private final State state;
    private final Geometry geometry;
    private final int threads;
    private final Watcher watcher;
    private final Extents changed = new Extents();
    private final Extents damaged = new Extents();
    private boolean archiveRead = true;

    /// @param chain opened at the point; stays open
    public Comparison(Chain chain, int threads, Watcher watcher) {
        this.chain = chain;
        this.state = chain.state();
        this.geometry = chain.geometry();
        this.threads = threads;
        this.watcher = watcher;
    }

    /// Compares.
    ///
    /// @param path a device, an image, or a list of hashes
    /// @param name which file of a list is meant
    /// @param recorded what the archiver called the device
    /// @throws DamagedListException if a list cannot be used
    public Differences with(Path path, Optional<String> name, String recorded) throws IOException {
        return switch (Outside.open(path, name, recorded)) {
            case Outside.Device device -> compare(device);
            case Outside.Nodes nodes -> compare(nodes);
            case Outside.Whole whole -> compare(whole);
            case Outside.Pieces pieces -> compare(pieces);
        };
    }

    // ---- a device

    private Differences compare(Outside.Device outside) throws IOException {
        try (FileDevice device = FileDevice.open(outside.path());
                Archived archived = new Archived()) {
            watcher.begin("compare with " + outside.path(), device.size());
            boolean alike = geometry.single() == new Geometry(device.size(), geometry.chunkLog()).single();
            new SourceHasher(geometry.chunkLog(), threads, watcher::done)
                    .hash(device, entry -> compare(entry, alike, device, archived));
            ends(device.size());
            List<Partition> partitions = partitions(device);
            List<Differences.Affected> files = changed.isEmpty() ? List.of() : Ext4.affected(outside.path(), device, partitions, changed.list());
            return result(outside, device.size(), Math.min(device.size(), state.size()), true, partitions, files);
        }
    }

    private void compare(HashList.Entry entry, boolean alike, BlockSource device, Archived archived) throws IOException {
        long end = Math.min(entry.end(), state.size());
        for (long at = entry.offset(); at < end; ) {
            long chunk = at >>> geometry.chunkLog();
            Node node = chain.find(chunk).node();
            if (entry.zero() && node.zero()) {
                at = Math.min(end, geometry.offset(node.end()));
                continue;
            }
            long stop = Math.min(end, geometry.offset(chunk + 1));
            boolean same = alike && !entry.zero() && !node.zero()
                    && entry.size() == geometry.length(chunk, 1) && entry.hash().equals(node.hash());
            if (!same) {
                archived.compare(chunk, device, at, stop - at);
            }
            at = stop;
        }
    }

    /// The archive's own bytes, read where something differs.
    private final class Archived implements AutoCloseable {

        private final Arena arena = Arena.ofShared();
        private @Nullable ChainReader reader; // made when it is needed: mostly nothing differs
        private MemorySegment recorded = MemorySegment.NULL;
        private MemorySegment now = MemorySegment.NULL;

        /// finds the blocks of a chunk that differ
        void compare(long chunk, BlockSource device, long offset, long size) throws IOException {
            MemorySegment then = read(chunk, offset, size);
            if (then == null) {
                return;
            }
            MemorySegment bytes = now.asSlice(0, size);
            device.read(offset, bytes);
            for (long at = 0; at < size; at += Geometry.BLOCK_SIZE) {
                long length = Math.min(Geometry.BLOCK_SIZE, size - at);
                if (bytes.asSlice(at, length).mismatch(then.asSlice(at, length)) >= 0) {
                    changed.add(offset + at, length);
                }
            }
        }

        /// proves that the archive has what it recorded in a part of the device that differs
        void prove(long offset, long size) throws IOException {
            for (long at = offset; at < offset + size; ) {
                long chunk = at >>> geometry.chunkLog();
                long stop = Math.min(offset + size, geometry.offset(chunk + 1));
                if (read(chunk, at, stop - at) != null) {
                    changed.add(at, stop - at);
                }
                at = stop;
            }
        }

        /// @return null if the archive does not give it out, which is then told
        private @Nullable MemorySegment read(long chunk, long offset, long size) throws IOException {
            if (reader == null) {
                reader = new ChainReader(chain);
                recorded = arena.allocate(geometry.chunkSize(), 4096);
                now = arena.allocate(geometry.chunkSize(), 4096);
            }
            try {
                MemorySegment whole = recorded.asSlice(0, geometry.length(chunk, 1));
                reader.read(chunk, whole);
                return whole.asSlice(offset - geometry.offset(chunk), size);
            } catch (InterruptedIOException e) {
                throw e;
            } catch (BrokenChainException e) {
                archiveRead = false;
                changed.add(offset, size);
            } catch (IOException e) {
                damaged.add(offset, size);
            }
            return null;
        }

        @Override
        public void close() {
            if (reader != null) {
                reader.close();
            }
            arena.close();
        }
    }

    // ---- lists

    private Differences compare(Outside.Nodes outside) throws IOException {
        try (HashListReader list = new HashListReader(outside.path());
                Archived archived = new Archived()) {
            State then = list.head().state();
            int unitLog = Math.max(list.head().chunkLog(), geometry.chunkLog());
            long size = Math.min(then.size(), state.size());
            boolean single = new Geometry(then.size(), list.head().chunkLog()).single() || geometry.single();
            if (then.equals(state) || single) {
                while (list.next() != null) {
                    // to the end, where a damaged list shows
                }
                if (!then.equals(state)) { // one hash is all there is
                    archived.prove(0, size);
                }
            } else {
                HashUnits theirs = new HashUnits(list::next, unitLog, then.size());
                HashUnits ours = new HashUnits(new ChainNodes(), unitLog, state.size());
                HashUnits.Unit a = theirs.next();
                HashUnits.Unit b = ours.next();
                while (a != null && b != null) {
                    if (!a.same(b)) {
                        archived.prove(a.offset(), Math.min(size, Math.min(a.size(), b.size()) + a.offset()) - a.offset());
                    }
                    a = theirs.next();
                    b = ours.next();
                }
                while (a != null) {
                    a = theirs.next();
                }
            }
            ends(then.size());
            return result(outside, then.size(), size, true, partitions(null), List.of());
        }
    }

    /// The nodes of the chain, in order.
    private final class ChainNodes implements HashUnits.Source {
        private long chunk;

        @Override
        public HashList.@Nullable Entry next() throws IOException {
            if (chunk >= geometry.chunks()) {
                return null;
            }
            Node node = chain.find(chunk).node();
            chunk = node.end();
            return new HashList.Entry(
                    geometry.offset(node.chunk()), geometry.length(node.chunk(), node.count()), node.hash(), node.zero());
        }
    }

    private Differences compare(Outside.Whole outside) throws IOException {
        requireSomething(outside);
        String root = state.root().toString();
        for (Map.Entry<Algorithm, String> digest : outside.digests().entrySet()) {
            if (digest.getKey() == Algorithm.BLAKE3 && digest.getValue().equals(root)) {
                return result(matched(outside, Algorithm.BLAKE3), -1, state.size(), true, List.of(), List.of());
            }
        }
        Algorithm other = outside.digests().keySet().stream()
                .filter(algorithm -> algorithm != Algorithm.BLAKE3)
                .max(Algorithm::compareTo)
                .orElse(null);
        if (other == null) {
            changed.add(0, state.size());
            archiveRead = false;
            return result(outside, -1, state.size(), false, List.of(), List.of());
        }
        PieceList all = new PieceList(other);
        all.add(0, state.size(), outside.digests().get(other));
        DigestTaker taker = digest(outside, all);
        boolean same = taker.changed().isEmpty() && taker.damaged().isEmpty();
        return result(same ? matched(outside, other) : outside, -1, taker.compared(), false, List.of(), List.of());
    }

    private static Outside matched(Outside.Whole outside, Algorithm algorithm) {
        return new Outside.Whole(outside.path(), outside.name(), Map.of(algorithm, outside.digests().get(algorithm)));
    }

    private void requireSomething(Outside.Whole outside) throws DamagedListException {
        for (Map.Entry<Algorithm, String> digest : outside.digests().entrySet()) {
            if (state.size() > 0 && digest.getKey().ofNothing().equals(digest.getValue())) {
                throw new DamagedListException(outside.path() + ": the hash of no bytes: md5deep and hashdeep take a block device for an empty "
                        + "file unless they are given -p; make the list again, with -p 1m say");
            }
        }
    }

    private Differences compare(Outside.Pieces outside) throws IOException {
        DigestTaker taker = digest(outside, outside.pieces());
        int last = outside.pieces().count() - 1;
        long end = outside.pieces().to(last);
        return result(outside, end > state.size() ? end : -1, taker.compared(), true, partitions(null), List.of());
    }

    private DigestTaker digest(Outside outside, PieceList pieces) throws IOException {
        watcher.begin("compare with " + outside.path(), state.size());
        DigestTaker taker = new DigestTaker(pieces, watcher::done);
        new ContentStream(chain, threads).run(taker);
        taker.finish();
        taker.changed().list().forEach(range -> changed.add(range.from(), range.size()));
        taker.damaged().list().forEach(range -> damaged.add(range.from(), range.size()));
        return taker;
    }

    // ---- the result

    /// what one has behind the end of the other
    private void ends(long sourceSize) {
        changed.add(Math.min(sourceSize, state.size()), Math.abs(sourceSize - state.size()));
    }

    /// {@return the partitions, as the device has them or, without one, as they were recorded}
    private List<Partition> partitions(@Nullable BlockSource device) {
        if (changed.isEmpty() && damaged.isEmpty()) {
            return List.of();
        }
        try {
            return PartitionTable.read(device != null ? device : new Recorded()).partitions();
        } catch (IOException e) {
            return List.of(); // there is nothing to tell of what cannot be read
        }
    }

    /// The device as it was recorded, for a few reads.
    private final class Recorded implements BlockSource {

        @Override
        public long size() {
            return state.size();
        }

        @Override
        public String name() {
            return "archive";
        }

        @Override
        public void read(long offset, MemorySegment into) throws IOException {
            try (ChainReader reader = new ChainReader(chain);
                    Arena arena = Arena.ofShared()) {
                MemorySegment room = arena.allocate(geometry.chunkSize(), 4096);
                for (long done = 0; done < into.byteSize(); ) {
                    long chunk = (offset + done) >>> geometry.chunkLog();
                    MemorySegment whole = room.asSlice(0, geometry.length(chunk, 1));
                    reader.read(chunk, whole);
                    long from = offset + done - geometry.offset(chunk);
                    long part = Math.min(whole.byteSize() - from, into.byteSize() - done);
                    MemorySegment.copy(whole, from, into, done, part);
                    done += part;
                }
            }
        }

        @Override
        public void close() {}
    }

    private Differences result(
            Outside outside, long sourceSize, long compared, boolean located, List<Partition> partitions, List<Differences.Affected> files) {
        List<InPartition> parts = new ArrayList<>();
        for (Partition partition : partitions) {
            Extents inside = new Extents();
            for (Ranges.Range range : changed.list()) {
                long from = Math.max(range.from(), partition.offset());
                long to = Math.min(range.to(), partition.end());
                if (from < to) {
                    inside.add(from, to - from);
                }
            }
            if (!inside.isEmpty()) {
                parts.add(new InPartition(partition, inside.count(), inside.size(), inside.first(), inside.last()));
            }
        }
        return new Differences(
                outside, sourceSize, state.size(), compared, Found.of(changed), Found.of(damaged), located, archiveRead, parts, files);
    }
}
