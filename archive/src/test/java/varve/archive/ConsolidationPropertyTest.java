package varve.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.FileDevice;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.Point;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.Histories;
import varve.testdata.History;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// Random histories, and random consolidations of them and of what came of that, against the plainest model: one byte array for
/// each point in time.
class ConsolidationPropertyTest {

    private static final int CHUNK_LOG = 16;
    private static final int MAX_SIZE = 70 << CHUNK_LOG;
    private static final Instant START = Instant.parse("2026-11-20T02:00:00.123Z");

    @TempDir
    Path folder;

    private Volume volume;
    private Random random;
    private boolean sealed;
    private History model;

    static List<Long> seeds() {
        return Histories.seeds(Integer.getInteger("varve.test.histories", 40));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whateverIsFoldedLeadsToTheSameStates(long seed) throws Exception {
        random = new Random(seed);
        int points = 4 + random.nextInt(9);
        model = Histories.random(seed, points, 1 << CHUNK_LOG, MAX_SIZE);
        sealed = seed % 3 == 0;
        volume = Vault.openOrCreate(folder.resolve("vault")).with(TestKeys.secret()).volume("tools");
        for (int point = 0; point < points; point++) {
            archive(volume, model.points().get(point).image(), point, point > 0 && random.nextInt(9) == 0);
        }
        for (int i = 0; i < 8; i++) {
            int to = random.nextInt(points);
            if (random.nextInt(4) == 0) {
                full(to);
            } else if (to > 0) {
                delta(random.nextInt(to), to);
            }
        }
        for (Point point : volume.read().sound().points()) {
            byte[] image = image(point);
            assertArrayEquals(image, read(point.state()), () -> point.manifest().baseName() + " of " + model);
        }
        othersReadIt();
    }

    private void delta(int from, int to) throws Exception {
        Point start = point(from);
        Point end = point(to);
        boolean same = start.state().equals(end.state());
        boolean possible = volume.read().sound().path(start.state(), end.state(), StoredArchive::dataAtHand).isPresent();
        String what = "from point " + from + " to " + to + " of " + model;
        try (Consolidation consolidation = open(Optional.of(start), end)) {
            if (consolidation.plan().idle()) {
                assertTrue(same || consolidation.plan().present().isPresent(), what);
                return;
            }
            Manifest manifest = execute(consolidation);
            assertTrue(possible, what);
            assertEquals(Kind.DELTA, manifest.kind());
            assertEquals(start.state(), manifest.parent(), what);
            assertDerived(manifest, end, what);
            StoredArchive made = new StoredArchive(volume.folder(), manifest, volume.keys());
            assertEquals(direct(from, to), nodes(made), () -> "the nodes of a direct delta, " + what);
            List<StoredArchive> path = new ArrayList<>(volume.read().sound().path(start.state(), StoredArchive::dataAtHand).orElseThrow());
            path.add(made);
            assertArrayEquals(model.points().get(to).image(), read(path), what);
            assertDone(Optional.of(start), end, made);
            evictSome(consolidation.plan().archives());
        } catch (BrokenChainException e) {
            assertTrue(!possible && !same, what);
        }
    }

    private void full(int to) throws Exception {
        Point end = point(to);
        String what = "full of point " + to + " of " + model;
        try (Consolidation consolidation = open(Optional.empty(), end)) {
            if (consolidation.plan().idle()) {
                assertEquals(Kind.FULL, consolidation.plan().present().orElseThrow().manifest().kind(), what);
                return;
            }
            Manifest manifest = execute(consolidation);
            assertEquals(Kind.FULL, manifest.kind());
            assertDerived(manifest, end, what);
            StoredArchive made = new StoredArchive(volume.folder(), manifest, volume.keys());
            assertArrayEquals(model.points().get(to).image(), read(List.of(made)), what);
            assertDone(Optional.empty(), end, made);
            evictSome(consolidation.plan().archives());
        }
    }

    private void assertDerived(Manifest made, Point point, String what) throws IOException {
        assertEquals(sealed, made.seal().isPresent(), what);
        assertTrue(made.derived() && made.describesPointOf(point.manifest()), what);
        assertEquals(point.manifest().originalHash(), made.originalHash(), what);
        volume.read().sound();
        try (var files = Files.list(volume.folder())) {
            assertEquals(List.of(), files.filter(file -> file.getFileName().toString().startsWith(".varve-stage")).toList(), what);
        }
    }

    private void assertDone(Optional<Point> from, Point to, StoredArchive made) throws IOException {
        try (Consolidation again = open(from, to)) {
            assertEquals(Optional.of(made.data()), again.plan().present().map(StoredArchive::data));
            assertTrue(again.plan().idle());
        }
    }

    /// removes data files that are not needed any more, so that what is folded next has to be folded out of what was folded
    private void evictSome(List<StoredArchive> archives) throws IOException {
        for (StoredArchive archive : archives) {
            if (archive.manifest().kind() == Kind.DELTA && random.nextInt(3) == 0) {
                Files.move(archive.data(), folder.resolve(archive.data().getFileName()));
                boolean needed = volume.read().sound().points().stream().anyMatch(point -> path(point.state()).isEmpty());
                if (needed) {
                    Files.move(folder.resolve(archive.data().getFileName()), archive.data());
                }
            }
        }
    }

    private Optional<List<StoredArchive>> path(State state) {
        try {
            return volume.read().sound().path(state, StoredArchive::dataAtHand);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Consolidation open(Optional<Point> from, Point to) throws IOException {
        ConsolidationOptions options = new ConsolidationOptions(from.map(this::name), name(to), 1, 1 + random.nextInt(3));
        return Consolidation.open(Vault.open(folder.resolve("vault")).with(TestKeys.secret()), "tools", options, warning -> {});
    }

    private Manifest execute(Consolidation consolidation) throws IOException {
        long[] progress = {0};
        long decoded = 1L << random.nextInt(10, 26); // which may be room for all frames, or for two
        Consolidation.Outcome outcome = consolidation.execute(InstantSource.system(), bytes -> progress[0] += bytes, decoded);
        assertEquals(consolidation.plan().work(), progress[0]);
        assertEquals(consolidation.plan().payloadSize(), outcome.manifest().kind() == Kind.FULL ? consolidation.plan().payloadSize() : outcome.manifest().payloadSize());
        return outcome.manifest();
    }

    private String name(Point point) {
        return Manifest.text(point.manifest().time());
    }

    private Point point(int number) throws IOException {
        return volume.read().sound().points().get(number);
    }

    private byte[] image(Point point) {
        return model.points().get((int) point.manifest().sequence() - 1).image();
    }

    private void archive(Volume into, byte[] image, int second, boolean full) throws Exception {
        Path source = folder.resolve("source.img");
        Files.write(source, image);
        ArchiveOptions options = new ArchiveOptions(full, 1, OptionalInt.of(CHUNK_LOG), 2, 0, false, Optional.empty(), false)
                .with(sealed && second % 3 == 0 ? TestKeys.recipients() : List.of());
        Vault vault = Vault.openOrCreate(into.folder().getParent()).with(TestKeys.secret());
        try (FileDevice device = FileDevice.open(source)) {
            InstantSource clock = InstantSource.fixed(START.plusSeconds(second));
            new Archiver(vault, into.name(), options, clock, _ -> {}, _ -> {}).archive(device, Duration.ZERO);
        }
    }

    /// {@return the nodes of a delta that is made of the two images themselves}
    private List<List<Object>> direct(int from, int to) throws Exception {
        Volume fresh = Vault.openOrCreate(folder.resolve("direct" + from + "-" + to)).volume("tools");
        if (!fresh.exists()) {
            archive(fresh, model.points().get(from).image(), 0, true);
            archive(fresh, model.points().get(to).image(), 1, false);
        }
        return nodes(fresh.read().sound().archives().getLast());
    }

    private static List<List<Object>> nodes(StoredArchive archive) throws IOException {
        List<List<Object>> nodes = new ArrayList<>();
        try (Index index = archive.openIndex()) {
            for (long row = 0; row < index.nodes(); row++) {
                Node node = index.node(row);
                boolean kept = node.extent() == index.extentEnd(row);
                if (!node.zero() || !kept) { // which zeros are kept depends on how those of the parent are cut
                    nodes.add(List.of(node.chunk(), node.count(), node.zero(), node.hash()));
                }
            }
        }
        return nodes;
    }

    private byte[] read(State state) throws IOException {
        return read(path(state).orElseThrow());
    }

    private static byte[] read(List<StoredArchive> path) throws IOException {
        try (ChainImage image = new ChainImage(Chain.open(path));
                Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocate(Math.max(1, image.size()), 8).asSlice(0, image.size());
            image.read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// what is left of the volume, to the reader in Python
    private void othersReadIt() throws IOException {
        if (random.nextInt(8) > 0) {
            return;
        }
        Assumptions.assumeTrue(Tools.find("python3").isPresent() && Tools.find("zstd").isPresent(), "python3 or zstd is not installed");
        for (StoredArchive archive : volume.read().sound().archives()) {
            if (!archive.dataAtHand()) {
                for (Path file : List.of(archive.index(), archive.tree(), archive.manifestFile())) {
                    Files.delete(file);
                }
            }
        }
        Tools.run("env", "VARVE_IDENTITY=" + TestFiles.identity(), "python3", "-B", TestFiles.pythonReader(), "verify", volume.folder()).orElseThrow().expectSuccess();
    }
}
