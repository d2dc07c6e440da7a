package varve.mounthelper.image;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.block.Run;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.chain.ProvedNodes;
import varve.archive.file.Index;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// A point in time, opened for many readers at once: every byte that is read was proved by its chunk's hash.
///
/// A read of a few bytes costs the decoding of their chunk, unless it is in the cache; a read of several chunks has them
/// decoded side by side; and who reads one chunk after the other finds the next ones there.
///
/// Safe for use by several threads, virtual ones too: reading waits for the [Decoders]. [Images] opens and shares it; close it
/// once for each opening.
public final class Image implements Composed {

    private static final long AHEAD = 4 << 20;
    private static final int MOST_AHEAD = 8; // chunks
    private static final int STREAMS = 16; // sequential readers that are known at a time
    private static final int MOST_TOLD = 1000;

    private final Chain chain;
    private final ProvedNodes nodes;
    private final Geometry geometry;
    private final String name;
    private final Cache cache;
    private final Decoders decoders;
    private final @Nullable DiskCache disk; // null if there is none
    private final boolean sealed;
    private final Consumer<String> damage;
    private final Runnable release;
    private final AtomicLongArray streams = new AtomicLongArray(STREAMS); // the chunk each of them was in last, plus 1
    private final AtomicInteger nextStream = new AtomicInteger();
    private final Set<Long> told = ConcurrentHashMap.newKeySet();
    private final AtomicInteger detour = new AtomicInteger(-1); // the newest layer that was told of
    private volatile Nearer nearer = Nearer.NONE;
    private volatile boolean closed;

    /// @param damage takes what is found wrong: once for each chunk that cannot be read, and for each archive that other copies serve for
    /// @param release is run by each close
    Image(Chain chain, String name, Cache cache, @Nullable DiskCache disk, Decoders decoders, Consumer<String> damage, Runnable release) throws IOException {
        this.chain = chain;
        this.nodes = new ProvedNodes(chain);
        this.geometry = chain.geometry();
        this.name = name;
        this.cache = cache;
        this.disk = disk;
        this.sealed = IntStream.range(0, chain.length()).anyMatch(layer -> chain.archive(layer).manifest().seal().isPresent());
        this.decoders = decoders;
        this.damage = damage;
        this.release = release;
    }

    Chain chain() {
        return chain;
    }

    /// {@return the state of the device that it shows}
    public State state() {
        return chain.state();
    }

    @Override
    public long size() {
        return geometry.size();
    }

    @Override
    public String name() {
        return name;
    }

    /// {@return the most memory that decoding one chunk takes in the cache}
    long decodingSize() {
        return geometry.chunkSize() + (long) chain.largestContent();
    }

    long chunkLength(long chunk) {
        return geometry.length(chunk, 1);
    }

    // ---- reading

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        long size = into.byteSize();
        check(offset, size);
        long last = size == 0 ? 0 : chunk(offset + size - 1);
        for (long done = 0; done < size; ) {
            long chunk = chunk(offset + done);
            long start = offset + done - geometry.offset(chunk);
            long part = Math.min(chunkLength(chunk) - start, size - done);
            expectMore(chunk, last);
            copy(chunk, start, into.asSlice(done, part));
            done += part;
        }
    }

    @Override
    public void expect(long offset, long size) throws IOException {
        check(offset, size);
        long end = Math.min(offset + size, offset + AHEAD);
        for (long chunk = chunk(offset); size > 0 && geometry.offset(chunk) < end; chunk++) {
            expect(chunk);
        }
    }

    private void check(long offset, long size) {
        if (offset < 0 || size < 0 || size > geometry.size() - offset) {
            throw new IndexOutOfBoundsException(size + " bytes at " + offset + " of " + geometry.size());
        }
    }

    private long chunk(long offset) {
        return offset >>> geometry.chunkLog();
    }

    private void copy(long chunk, long start, MemorySegment into) throws IOException {
        Cache.Key key = Cache.Key.chunk(this, chunk);
        if (!cache.holds(key)) {
            if (nodes.find(chunk).node().zero()) {
                into.fill((byte) 0);
                return;
            }
            if (disk != null && disk.read(key, geometry.offset(chunk), start, into)) {
                return;
            }
        }
        try (Cache.Entry entry = cache.pin(key)) {
            decoders.want(entry);
            MemorySegment.copy(entry.await(), start, into, 0, into.byteSize());
            entry.took(into.byteSize());
        }
    }

    /// Looks ahead from a chunk that is read now: to the end of the read, and beyond it if the chunk before was read a while ago.
    ///
    /// @param last chunk of the read
    private void expectMore(long chunk, long last) throws IOException {
        int most = Math.clamp(AHEAD >>> geometry.chunkLog(), 1, MOST_AHEAD);
        long end = chunk + most;
        if (!sequential(chunk)) {
            end = Math.min(last, end);
        }
        for (long next = chunk + 1; next <= end && next < geometry.chunks(); next++) {
            expect(next);
        }
    }

    /// {@return whether a reader has just come here from the chunk before}
    private boolean sequential(long chunk) {
        for (int i = 0; i < STREAMS; i++) {
            long before = streams.get(i);
            if (before == chunk + 1) {
                return false; // in it already
            }
            if (before == chunk && chunk > 0) {
                streams.set(i, chunk + 1);
                return true;
            }
        }
        streams.set(Math.floorMod(nextStream.getAndIncrement(), STREAMS), chunk + 1);
        return false;
    }

    private void expect(long chunk) throws IOException {
        Cache.Key key = Cache.Key.chunk(this, chunk);
        if (!cache.holds(key) && (disk == null || !disk.holds(key)) && !nodes.find(chunk).node().zero()) {
            decoders.expect(key);
        }
    }

    /// Reads a chunk of the archives.
    ///
    /// @throws IOException also if what is mapped of them has changed so that it makes no sense any more, or cannot be read
    ///
    /// @return the values of its groups
    MemorySegment decode(ChainReader reader, long chunk, MemorySegment into) throws IOException {
        try {
            MemorySegment groups = DiskCache.values(into.byteSize());
            if (!readNearer(chunk, into, groups)) {
                reader.read(nodes.find(chunk), chunk, into, groups);
                tellDetour();
            }
            return groups;
        } catch (IndexOutOfBoundsException | InternalError e) {
            throw changed(chunk, e);
        }
    }

    /// {@return the frames that a chunk is put together from}
    List<ChainReader.Part> parts(ChainReader reader, long chunk) throws IOException {
        try {
            return reader.parts(nodes.find(chunk), chunk);
        } catch (IndexOutOfBoundsException | InternalError e) {
            throw changed(chunk, e);
        }
    }

    /// Has a place looked into first from now on.
    public void prefer(Nearer place) {
        nearer = place;
    }

    /// @return whether a nearer place has the chunk, proved by its hash
    private boolean readNearer(long chunk, MemorySegment into, MemorySegment groups) throws IOException {
        try {
            if (!nearer.read(geometry.offset(chunk), into)) {
                return false;
            }
        } catch (IOException e) {
            tell(chunk, e);
            return false;
        }
        SubtreeHasher hasher = new SubtreeHasher();
        Hash top = hasher.subtree(into, geometry.offset(chunk), groups);
        Hash hash = geometry.single() ? hasher.whole(into) : top;
        return hash.equals(nodes.find(chunk).node().hash());
    }

    private IOException changed(long chunk, Throwable thrown) {
        return new IOException(name + ": chunk " + chunk + " at " + geometry.offset(chunk)
                + ": the tables of an archive have changed since they were opened, or cannot be read any more", thrown);
    }

    /// Tells of a chunk that could not be brought.
    void tell(long chunk, Throwable thrown) {
        if (told.size() < MOST_TOLD && told.add(chunk)) {
            damage.accept(name + ": cannot be read at " + geometry.offset(chunk) + ": "
                    + (thrown.getMessage() == null ? thrown.toString() : thrown.getMessage()));
        }
    }

    /// Tells of a copy that was passed over because it is damaged, each time that it is one of a newer archive.
    private void tellDetour() {
        int layer = chain.length() - 1;
        while (layer > detour.get() && !chain.detoured(layer)) {
            layer--;
        }
        if (detour.getAndAccumulate(layer, Math::max) < layer) {
            damage.accept(chain.archive(layer).data() + (layer == 0 ? "" : ", or one that it is based on")
                    + ": damaged, so parts of it are taken from another vault; to mend it: varve heal");
        }
    }

    // ---- what the tables say

    @Override
    public Run runAt(long offset, long most) throws IOException {
        check(offset, most);
        long chunk = chunk(offset);
        boolean zero = false;
        for (long at = offset; ; ) {
            boolean here = false;
            long next = chunk + 1;
            if (!cache.holds(Cache.Key.chunk(this, chunk))) { // what is there is data
                Node node = nodes.find(chunk).node();
                here = node.zero();
                next = node.end();
            }
            if (at == offset) {
                zero = here;
            } else if (here != zero) {
                return new Run(at - offset, zero);
            }
            at = geometry.offset(next);
            chunk = next;
            if (at - offset >= most) {
                return new Run(most, zero);
            }
        }
    }

    @Override
    public long dataFrom(long offset) throws IOException {
        if (offset >= size()) {
            return size();
        }
        Run run = runAt(offset, size() - offset);
        return run.zero() ? offset + run.size() : offset;
    }

    @Override
    public long dataUntil(long offset) throws IOException {
        if (offset >= size()) {
            return size();
        }
        Run run = runAt(offset, size() - offset);
        return run.zero() ? offset : offset + run.size();
    }

    @Override
    public Origin originAt(long offset, long most) throws IOException {
        check(offset, most);
        long chunk = chunk(offset);
        try {
            return originAt(offset, offset + most, nodes.find(chunk));
        } catch (IndexOutOfBoundsException | InternalError e) {
            throw changed(chunk, e);
        }
    }

    /// @param newest node that holds the offset; it alone says what is zero, since it alone was proved
    private Origin originAt(long offset, long most, Chain.Found newest) throws IOException {
        boolean zero = newest.node().zero();
        long end = Math.min(most, geometry.offset(newest.node().end()));
        for (Chain.Found found = newest; ; found = chain.find(found.layer() - 1, chunk(offset))) {
            Node node = found.node();
            Index index = chain.index(found.layer());
            long point = chain.archive(found.layer()).manifest().sequence();
            long last = index.full() ? node.extent() : index.extentEnd(found.row());
            end = Math.min(end, geometry.offset(node.end()));
            if (index.full() || node.zero() && node.extent() < last) {
                return new Origin(end - offset, zero, point);
            }
            for (long row = node.extent(); row < last; row++) {
                Extent extent = index.extent(row);
                if (extent.first() << Geometry.BLOCK_LOG > offset) {
                    end = Math.min(end, extent.first() << Geometry.BLOCK_LOG);
                    break;
                }
                if (extent.end() << Geometry.BLOCK_LOG > offset) {
                    return new Origin(Math.min(end, extent.end() << Geometry.BLOCK_LOG) - offset, zero, point);
                }
            }
        }
    }

    /// Looks after a chunk that has to leave the cache.
    void leaves(Cache.Key key, MemorySegment content, MemorySegment values, boolean whole) {
        if (disk != null && !closed) {
            disk.keep(key, content, values, whole, sealed);
            if (closed) { // meanwhile
                disk.drop(this);
            }
        }
    }

    boolean closed() {
        return closed;
    }

    /// Closes it for good.
    void end() throws IOException {
        closed = true;
        decoders.forget(this);
        cache.drop(this);
        if (disk != null) {
            disk.drop(this);
        }
        chain.close();
    }

    @Override
    public void close() {
        release.run();
    }
}
