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
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.block.FileDevice;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.State;
import varve.archive.retention.Models;
import varve.archive.retention.Moment;
import varve.archive.retention.Retention;
import varve.archive.retention.Span;
import varve.archive.vault.Numbers;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeSettings;
import varve.testdata.Histories;
import varve.testdata.History;

/// Random histories that are expired as they grow, by random policies: what the plainest reading of the policy keeps is there, byte
/// by byte, and nothing else takes room.
class ExpiryPropertyTest {

    private static final int CHUNK_LOG = 16;
    private static final int MAX_SIZE = 20 << CHUNK_LOG;
    private static final int ROUNDS = 3;

    @TempDir
    Path folder;

    private Vault vault;
    private Volume volume;
    private Random random;
    private History model;
    private Instant now = Instant.parse("2026-01-01T20:30:00Z");
    private final Set<Long> labelled = new HashSet<>();
    private final Set<Long> protectedPoints = new HashSet<>();
    private int recorded;

    static List<Long> seeds() {
        return Histories.seeds(Integer.getInteger("varve.test.expiries", 8));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatIsKeptIsThereAndNothingElseTakesRoom(long seed) throws Exception {
        random = new Random(seed);
        model = Histories.random(seed, ROUNDS * 7, 1 << CHUNK_LOG, MAX_SIZE);
        vault = Vault.openOrCreate(folder.resolve("vault"));
        volume = vault.volume("tools");
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 2 + random.nextInt(5); i >= 0; i--) {
                archive();
            }
            if (random.nextInt(3) == 0) {
                protect();
            }
            expire(policy(), "-Dvarve.test.seed=" + seed + ": round " + round);
        }
    }

    private void archive() throws Exception {
        Path source = folder.resolve("source.img");
        Files.write(source, model.points().get(recorded++).image());
        Optional<String> label = random.nextInt(12) == 0 ? Optional.of("a label") : Optional.empty();
        label.ifPresent(it -> labelled.add((long) recorded));
        ArchiveOptions options = new ArchiveOptions(random.nextInt(9) == 0, 1, OptionalInt.of(CHUNK_LOG), 2, 0, false, label, false);
        now = now.plus(random.nextInt(4) == 0 ? Duration.ofDays(random.nextInt(20)) : Duration.ofHours(1 + random.nextInt(36)));
        try (FileDevice device = FileDevice.open(source)) {
            new Archiver(vault, "tools", options, InstantSource.fixed(now), bytes -> {}, warning -> {}).archive(device, Duration.ZERO);
        }
    }

    private void protect() throws Exception {
        List<Point> points = volume.read().sound().points();
        long number = points.get(random.nextInt(points.size())).manifest().sequence();
        protectedPoints.add(number);
        VolumeSettings.change(volume, Duration.ZERO, "test", (settings, history) -> settings.protect(number));
    }

    private Retention policy() {
        while (true) {
            int[] n = random.ints(5, -2, 4).map(number -> Math.max(0, number)).toArray();
            Optional<Span> within = random.nextInt(4) == 0 ? Optional.of(Span.parse((1 + random.nextInt(9)) + "d")) : Optional.empty();
            if (n[0] + n[1] + n[2] + n[3] + n[4] > 0 || within.isPresent()) {
                return new Retention(n[0], within, n[1], n[2], n[3], n[4], ZoneId.of(random.nextBoolean() ? "UTC" : "Europe/Vienna"));
            }
        }
    }

    private void expire(Retention policy, String what) throws Exception {
        List<Point> before = volume.read().sound().points();
        Set<Long> kept = Models.ours(policy, before.stream().map(point -> new Moment(point.manifest().sequence(), point.manifest().time())).toList());
        kept.add(before.getLast().manifest().sequence());
        before.stream().map(point -> point.manifest().sequence())
                .filter(number -> labelled.contains(number) || protectedPoints.contains(number)).forEach(kept::add);
        long sizeBefore = size();

        Expiry.Outcome outcome = expiry(policy).execute(Duration.ZERO, plan -> {}, bytes -> {});

        List<Point> after = volume.read().sound().points();
        Set<Long> stays = outcome.plan().fates().stream().filter(ExpiryPlan.Fate::stays).map(ExpiryPlan.Fate::number).collect(Collectors.toSet());
        assertEquals(kept, new TreeSet<>(outcome.plan().kept().stream().map(point -> point.manifest().sequence()).toList()), what);
        assertEquals(stays, numbers(after), what);
        assertTrue(stays.containsAll(kept), what);
        for (Point point : after) {
            assertArrayEquals(model.points().get((int) point.manifest().sequence() - 1).image(), read(point.state()),
                    () -> what + ": " + point.manifest().baseName() + " of " + model);
        }
        assertEquals(sizeBefore - size(), outcome.freed(), what);
        assertTrue(after.stream().flatMap(point -> point.archives().stream()).anyMatch(archive -> archive.manifest().kind() == Kind.FULL), what);
        assertNothingIsUseless(kept, what);
        assertGivenUp(after, what);

        ExpiryPlan again = expiry(policy).plan();
        assertEquals(List.of(), again.folds(), what);
        assertEquals(List.of(), again.removed(), what);
        assertEquals(List.of(), again.noted(), what);
    }

    private Expiry expiry(Retention policy) throws IOException {
        ExpiryOptions options = new ExpiryOptions(Optional.of(policy), 1, 2);
        return new Expiry(List.of(vault), "tools", options, InstantSource.fixed(now), warning -> {
            throw new AssertionError(warning);
        });
    }

    /// each data file that changes something is needed: without it a kept point could not be restored
    private void assertNothingIsUseless(Set<Long> kept, String what) throws IOException {
        List<StoredArchive> archives = volume.read().sound().archives();
        long fulls = archives.stream().filter(archive -> archive.manifest().kind() == Kind.FULL).count();
        Set<State> wanted = volume.read().sound().points().stream()
                .filter(point -> kept.contains(point.manifest().sequence())).map(Point::state).collect(Collectors.toSet());
        for (StoredArchive archive : archives) {
            boolean lastFull = archive.manifest().kind() == Kind.FULL && fulls == 1;
            Set<State> left = volume.read().history().reached(other -> !other.manifest().baseName().equals(archive.manifest().baseName()));
            assertTrue(archive.manifest().unchanged() || lastFull || !left.containsAll(wanted),
                    () -> what + ": " + archive.manifest().baseName() + " is of no use any more");
        }
    }

    /// what is no longer there is known to have been given up
    private void assertGivenUp(List<Point> after, String what) throws IOException {
        Numbers expired = VolumeSettings.read(volume, volume.read().history()).expired();
        Set<Long> there = numbers(after);
        for (long number = 1; number <= recorded; number++) {
            assertTrue(there.contains(number) || expired.contains(number), what);
        }
    }

    private static Set<Long> numbers(List<Point> points) {
        return points.stream().map(point -> point.manifest().sequence()).collect(Collectors.toSet());
    }

    private long size() throws IOException {
        long size = 0;
        for (StoredArchive archive : volume.read().sound().archives()) {
            size += Files.size(archive.data());
        }
        return size;
    }

    private byte[] read(State state) throws IOException {
        List<StoredArchive> path = volume.read().sound().path(state, StoredArchive::dataAtHand).orElseThrow();
        try (ChainImage image = new ChainImage(Chain.open(new ArrayList<>(path)));
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(image.size(), 8);
            image.read(0, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }
}
