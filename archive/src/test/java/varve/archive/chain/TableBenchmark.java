package varve.archive.chain;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import varve.archive.block.Geometry;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.Signer;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.Extent;
import varve.archive.format.Header;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.TreeMerge;

/// What tables cost: those of a full of 100,000 chunks, alone and below 30 deltas of 1,000 changed chunks each. The hashes
/// are made up and the frames hold nothing, since nobody looks into them here. To run it: `testdata/bench/micro TableBenchmark`.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@org.openjdk.jmh.annotations.State(Scope.Thread)
@Fork(2)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class TableBenchmark {
    private static final int CHUNKS = 100_000;
    private static final int CHANGED = 1_000;
    private static final Geometry GEOMETRY = new Geometry((long) CHUNKS << 16, 16);

    @Param({"0", "30"})
    int deltas;

    private final Random random = new Random(1);
    private final UUID volumeId = new UUID(1, 2);
    private final Hash[] hashes = new Hash[CHUNKS];
    private final List<StoredArchive> path = new ArrayList<>();
    private Path folder;
    private Chain chain;
    private long next;

    @Setup(Level.Trial)
    public void setUp() throws IOException {
        folder = Files.createTempDirectory("varve-tables");
        State state = State.NOTHING;
        for (int number = 0; number <= deltas; number++) {
            state = add(number, state);
        }
        chain = Chain.open(path);
    }

    @TearDown(Level.Trial)
    public void tearDown() throws IOException {
        chain.close();
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(TableBenchmark::delete);
        }
    }

    /// the newest archive's tables: mapped, hashed, every rule checked
    @Benchmark
    public long openIndex() throws IOException {
        try (Index index = path.getLast().openIndex()) {
            return index.nodes();
        }
    }

    /// all tables, and the root put together from their nodes
    @Benchmark
    public State openChain() throws IOException {
        try (Chain opened = Chain.open(path)) {
            return opened.state();
        }
    }

    /// one chunk somewhere
    @Benchmark
    public Chain.Found find() throws IOException {
        next = (next + 61_803) % CHUNKS;
        return chain.find(next);
    }

    /// all 100,000 nodes of the device
    @Benchmark
    public long forEachNode() throws IOException {
        long[] sum = {0};
        chain.forEachNode(found -> sum[0] += found.row());
        return sum[0];
    }

    private State add(int number, State parent) throws IOException {
        Kind kind = number == 0 ? Kind.FULL : Kind.DELTA;
        try (ArchiveWriter writer = new ArchiveWriter(folder, new Header(kind, GEOMETRY.chunkLog(), volumeId, parent), Signer.NONE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment frame = arena.allocate(24, 8);
            for (int chunk : number == 0 ? all() : some()) {
                hashes[chunk] = new Hash(random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong());
                Node.Frame place = writer.frame(frame, kind == Kind.FULL ? GEOMETRY.chunkSize() : Geometry.BLOCK_SIZE);
                long extent = writer.nextExtent();
                if (kind == Kind.DELTA) {
                    writer.extent(new Extent((long) chunk * GEOMETRY.blocksPerChunk() + random.nextInt(16), 1, true));
                }
                writer.node(new Node(chunk, 1, false, place, 0, extent, hashes[chunk]));
            }
            State state = new State(root(), GEOMETRY.size());
            Manifest manifest = writer.commit(state, written -> describe(number, parent, state, written));
            path.add(new StoredArchive(folder, manifest));
            return state;
        }
    }

    private Manifest describe(int number, State parent, State state, ArchiveWriter.Written written) {
        Instant time = Instant.parse("2026-11-01T02:00:00.123Z").plusSeconds(number);
        long size = number == 0 ? state.size() : (long) CHANGED * Geometry.BLOCK_SIZE;
        return new Manifest(
                number == 0 ? Kind.FULL : Kind.DELTA, "tables", volumeId, number + 1,
                number == 0 ? Optional.empty() : Optional.of(state.root()), Optional.empty(), time, time, Optional.empty(), "tables", "bench", "bench",
                GEOMETRY.chunkLog(), state, parent, size, size, written.file(), written.index(), written.seal());
    }

    private Hash root() {
        TreeMerge merge = new TreeMerge();
        for (Hash hash : hashes) {
            merge.add(hash, GEOMETRY.chunkSize());
        }
        return merge.root();
    }

    private static Iterable<Integer> all() {
        return () -> IntStream.range(0, CHUNKS).iterator();
    }

    private Iterable<Integer> some() {
        TreeSet<Integer> chunks = new TreeSet<>();
        while (chunks.size() < CHANGED) {
            chunks.add(random.nextInt(CHUNKS));
        }
        return chunks;
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
