package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Point;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;
import varve.archive.vault.Copies;
import varve.archive.vault.Edges;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.testdata.Histories;

/// Random lives of several vaults, compared after every step with a model: a home that is archived to, disks that take turns,
/// consolidations, expiries, evictions, disks that burn, catalogues that are lost and made again.
///
/// The model knows the points in time, which of them are kept, and which data files lie where; from that it says, in the plainest
/// way, what can be restored from which set of vaults. What a step may take away from such a set is the law of that step:
///
/// - to archive, consolidate, copy, merge and rebuild take away nothing from any set;
/// - to evict takes away nothing from sets without that vault, nor from all vaults together;
/// - to expire takes away nothing that is kept: from the vault itself, from all together, and nothing at all from sets without it;
/// - a disk that burns takes with it what no others can restore.
class VaultModelTest {

    private static final int STEPS = Integer.getInteger("varve.test.steps", 24);
    private static final int DISKS = 3;

    @TempDir
    Path folder;

    private VaultScene scene;
    private Random random;
    private final List<Path> disks = new ArrayList<>();
    private final Set<Long> protectedPoints = new TreeSet<>();
    private final Set<Long> labelled = new TreeSet<>();
    private final List<String> story = new ArrayList<>();
    private Law law = Law.NOTHING_GOES;
    private Path changed;
    private Set<State> kept = Set.of();
    private int made;

    /// What a step may take away.
    private enum Law { NOTHING_GOES, COPIES_GO, WHAT_IS_NOT_KEPT_GOES, A_DISK_GOES }

    static List<Long> seeds() {
        return Histories.seeds(Integer.getInteger("varve.test.lives", 2));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatIsKeptCanBeRestoredFromWhereItIs(long seed) throws Exception {
        scene = new VaultScene(folder, seed);
        random = scene.random;
        scene.archive();
        while (disks.size() < DISKS) {
            newDisk();
        }
        Truth before = truth();
        for (int step = 0; step < STEPS; step++) {
            try {
                law = Law.NOTHING_GOES;
                step();
                Truth after = truth();
                assertLaw(before, after);
                assertRestorable(after);
                assertCopies(after);
                before = after;
            } catch (AssertionError | Exception e) {
                throw new AssertionError("-Dvarve.test.seed=" + seed + ":\n  " + String.join("\n  ", story), e);
            }
        }
    }

    private void newDisk() {
        disks.add(scene.disk("disk" + ++made));
    }

    private List<Path> all() {
        return Stream.concat(Stream.of(scene.home), disks.stream()).toList();
    }

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private ExitCode run(Set<ExitCode> expected, List<Object> words) {
        ExitCode code = scene.run(words.toArray());
        story.add(words.stream().map(word -> word.toString().replace(folder + "/", "")).collect(Collectors.joining(" ")) + ": " + code);
        assertTrue(expected.contains(code), () -> words + ": " + code + ": " + scene.out + scene.err);
        return code;
    }

    private ExitCode run(Set<ExitCode> expected, Object... words) {
        return run(expected, List.of(words));
    }

    /// {@return whether a vault knows anything of the volume}
    private static boolean has(Path vault) {
        String[] files = vault.resolve(VOLUME).toFile().list((folder, name) -> name.matches(VOLUME + "\\..*\\.json"));
        return files != null && files.length > 0;
    }

    // ---- steps

    private void step() throws Exception {
        switch (random.nextInt(18)) {
            case 0, 1, 2 -> archive();
            case 3, 4, 5, 6 -> copy();
            case 7, 8 -> evict();
            case 9, 10 -> consolidate();
            case 11, 12 -> expire();
            case 13 -> protect();
            case 14 -> merge();
            case 15 -> rebuild();
            case 16 -> retire();
            default -> burn();
        }
    }

    private void archive() throws Exception {
        switch (random.nextInt(5)) {
            case 0 -> story.add("archive without a change");
            case 1 -> {
                story.add("archive what was once");
                scene.set(any(List.copyOf(scene.points.values())));
            }
            default -> {
                story.add("archive");
                scene.change();
            }
        }
        if (random.nextInt(6) == 0) {
            labelled.add(scene.archiveLabelled("a label").manifest().sequence());
        } else {
            scene.archiveUnchanged();
        }
    }

    private void copy() throws IOException {
        Path from = random.nextBoolean() ? scene.home : any(all());
        Path to = any(all());
        if (from.equals(to) || !has(from)) {
            return;
        }
        List<Object> words = new ArrayList<>(List.of("copy", VOLUME, "--vault", from, "--to", to));
        boolean twice = random.nextInt(3) == 0;
        if (twice) {
            words.addAll(List.of("--vault", any(all()))); // may be the target: refused
        }
        boolean some = random.nextInt(4) == 0;
        if (some) {
            words.addAll(List.of("--points", "-" + random.nextInt(3)));
        }
        Set<State> wanted = truth().reached(Set.of(from));
        ExitCode code = run(Set.of(ExitCode.OK, ExitCode.BROKEN_CHAIN, ExitCode.REFUSED, ExitCode.NOT_FOUND), words);
        assertTrue(code != ExitCode.REFUSED || twice, () -> scene.err);
        if (code == ExitCode.OK && !some) {
            assertTrue(truth().reached(Set.of(to)).containsAll(wanted), "not all that could be restored there can be here");
        }
    }

    private void evict() throws IOException {
        Path from = any(all());
        if (has(from)) {
            List<Object> words = new ArrayList<>(List.of("evict", VOLUME, "--vault", from, "--min-copies", 1 + random.nextInt(2)));
            all().stream().filter(vault -> random.nextInt(3) == 0).forEach(vault -> words.addAll(List.of("--vault", vault)));
            law = Law.COPIES_GO;
            changed = from;
            run(Set.of(ExitCode.OK), words);
        }
    }

    private void consolidate() throws IOException {
        Path vault = any(all());
        if (!has(vault)) {
            return;
        }
        List<Object> words = new ArrayList<>(List.of("consolidate", VOLUME, "--vault", vault));
        if (random.nextBoolean()) {
            words.addAll(List.of("--full", "--to", "-" + random.nextInt(3)));
        } else {
            int to = random.nextInt(3);
            words.addAll(List.of("--from", "-" + (to + 1 + random.nextInt(3)), "--to", "-" + to));
        }
        run(Set.of(ExitCode.OK, ExitCode.BROKEN_CHAIN, ExitCode.REFUSED, ExitCode.NOT_FOUND), words);
    }

    private void expire() throws IOException {
        Path vault = random.nextInt(3) > 0 ? scene.home : any(disks);
        if (!has(vault)) {
            return;
        }
        int last = 1 + random.nextInt(5);
        List<Object> words = new ArrayList<>(List.of("expire", VOLUME, "--vault", vault, "--keep-last", last));
        List<Path> others = all().stream().filter(other -> !other.equals(vault) && random.nextBoolean()).toList();
        others.forEach(other -> words.addAll(List.of("--vault", other)));
        if (random.nextInt(3) == 0) {
            words.addAll(List.of("--min-copies", 2));
        }
        List<Point> points = scene.history(vault).points();
        kept = points.stream()
                .filter(point -> protectedPoints.contains(point.manifest().sequence())
                        || labelled.contains(point.manifest().sequence())
                        || points.indexOf(point) >= points.size() - last)
                .map(Point::state)
                .collect(Collectors.toSet());
        law = Law.WHAT_IS_NOT_KEPT_GOES;
        changed = vault;
        boolean alone = !vault.equals(scene.home) && !others.contains(scene.home);
        ExitCode code = run(Set.of(ExitCode.OK, ExitCode.REFUSED, ExitCode.BROKEN_CHAIN), words);
        if (code == ExitCode.OK && alone) {
            assertTrue(scene.catalogue(vault).inventory(Vault.open(scene.home).id()).isEmpty(),
                    "a disk that others rely on gave something up without them");
        }
        if (code == ExitCode.OK) {
            Set<State> known = scene.history(vault).points().stream().map(Point::state).collect(Collectors.toSet());
            assertTrue(known.containsAll(kept), "a kept point is not known any more");
        }
    }

    private void protect() throws IOException {
        List<Point> points = scene.history(scene.home).points();
        Point point = any(points);
        long number = point.manifest().sequence();
        String name = VOLUME + "@-" + (points.size() - 1 - points.indexOf(point));
        if (protectedPoints.remove(number)) {
            run(Set.of(ExitCode.OK), "protect", name, "--vault", scene.home, "--remove");
        } else {
            protectedPoints.add(number);
            run(Set.of(ExitCode.OK), "protect", name, "--vault", scene.home);
        }
    }

    private void merge() {
        run(Set.of(ExitCode.OK), "catalogue", "merge", any(all()), any(all()));
    }

    /// the catalogue is lost, with some tables, and made again from what lies there
    private void rebuild() throws IOException {
        Path vault = any(all());
        VaultScene.delete(vault.resolve("varve-catalogue"));
        List<StoredArchive> archives = has(vault) ? scene.history(vault).archives() : List.of();
        for (StoredArchive archive : archives) {
            if (archive.dataAtHand() && random.nextBoolean()) {
                Files.deleteIfExists(archive.index());
                Files.deleteIfExists(archive.tree());
            }
        }
        run(Set.of(ExitCode.OK), "catalogue", "rebuild", vault, any(all()));
        for (StoredArchive archive : archives) {
            assertTrue(Files.exists(archive.index()));
            assertEquals(archive.dataAtHand(), Files.exists(archive.tree()));
        }
    }

    /// a disk without which something is lost is not given up
    private void retire() throws IOException {
        Path disk = any(disks);
        List<Object> words = new ArrayList<>(List.of("vault", "retire", disk, "--dry-run"));
        all().stream().filter(VaultModelTest::has).forEach(vault -> words.addAll(List.of("--vault", vault)));
        Truth truth = truth();
        Set<Path> others = new HashSet<>(all());
        others.remove(disk);
        boolean needed = !truth.reached(others).containsAll(truth.reached(Set.copyOf(all())));
        run(Set.of(needed ? ExitCode.REFUSED : ExitCode.OK), words);
    }

    private void burn() throws IOException {
        Path disk = any(disks);
        law = Law.A_DISK_GOES;
        changed = disk;
        story.add("burn " + disk.getFileName());
        disks.remove(disk);
        VaultScene.delete(disk);
        newDisk();
        for (Path vault : all()) { // who does not know of it need not hear of it
            run(Set.of(ExitCode.OK, ExitCode.NOT_FOUND), "vault", "retire", disk.getFileName(), "--lost", "--vault", vault);
        }
    }

    // ---- the model

    /// Which data files lie where.
    private record Truth(List<StoredArchive> archives, Map<String, Set<Path>> holders, Set<Path> vaults) {

        private boolean held(StoredArchive archive, Set<Path> by) {
            return holders.get(archive.manifest().baseName()).stream().anyMatch(by::contains);
        }

        /// {@return what can be restored from some vaults}
        private Set<State> reached(Set<Path> from) {
            return Edges.reached(archives, archive -> held(archive, from));
        }

        private Set<State> reached() {
            return reached(vaults);
        }
    }

    private Truth truth() throws IOException {
        List<StoredArchive> archives = scene.history(all().toArray(Path[]::new)).archives();
        Map<String, Set<Path>> holders = new TreeMap<>();
        for (StoredArchive archive : archives) {
            Set<Path> by = new LinkedHashSet<>();
            for (Path vault : all()) {
                if (Files.exists(vault.resolve(VOLUME).resolve(archive.manifest().baseName() + ".zst"))) {
                    by.add(vault);
                }
            }
            holders.put(archive.manifest().baseName(), by);
        }
        return new Truth(archives, holders, Set.copyOf(all()));
    }

    /// {@return all sets of the vaults that were there before and are now}
    private static List<Set<Path>> sets(Truth before, Truth after) {
        List<Path> both = before.vaults.stream().filter(after.vaults::contains).sorted().toList();
        List<Set<Path>> sets = new ArrayList<>();
        for (int bits = 1; bits < 1 << both.size(); bits++) {
            Set<Path> set = new HashSet<>();
            for (int i = 0; i < both.size(); i++) {
                if ((bits >> i & 1) == 1) {
                    set.add(both.get(i));
                }
            }
            sets.add(set);
        }
        return sets;
    }

    private void assertLaw(Truth before, Truth after) {
        for (Set<Path> set : sets(before, after)) {
            Set<State> gone = new HashSet<>(before.reached(set));
            gone.removeAll(after.reached(set));
            boolean all = set.equals(after.vaults);
            switch (law) {
                case NOTHING_GOES, A_DISK_GOES -> assertEquals(Set.of(), gone, () -> "from " + set);
                case COPIES_GO -> assertTrue(gone.isEmpty() || !all && set.contains(changed), () -> gone + " from " + set);
                case WHAT_IS_NOT_KEPT_GOES -> {
                    if (all || set.equals(Set.of(changed))) {
                        gone.retainAll(kept);
                    } else if (set.contains(changed)) {
                        gone.clear();
                    }
                    assertEquals(Set.of(), gone, () -> "from " + set);
                }
            }
        }
    }

    /// what can be restored is, byte by byte; the rest is refused for the right reason
    private void assertRestorable(Truth truth) throws Exception {
        Set<Path> some = all().stream().filter(vault -> random.nextBoolean()).collect(Collectors.toCollection(LinkedHashSet::new));
        List<Set<Path>> sets = new ArrayList<>(all().stream().map(Set::of).toList());
        sets.add(new LinkedHashSet<>(all()));
        sets.add(some);
        for (Set<Path> set : sets) {
            if (set.stream().anyMatch(VaultModelTest::has)) {
                assertRestorable(truth, set);
            }
        }
    }

    private void assertRestorable(Truth truth, Set<Path> set) throws Exception {
        Set<State> reached = truth.reached(set);
        List<Long> restored = scene.restorable(set.toArray(Path[]::new));
        List<Vault> vaults = new ArrayList<>();
        for (Path vault : set) {
            vaults.add(Vault.open(vault));
        }
        for (Point point : scene.history(set.toArray(Path[]::new)).points()) {
            assertEquals(reached.contains(point.state()), restored.contains(point.manifest().sequence()), () -> point + " from " + set);
            FoundPoint found = FoundPoint.find(vaults, PointName.parse(VOLUME + "@" + point.state().root()));
            if (reached.contains(point.state())) {
                found.path();
            } else {
                assertRefused(truth, set, found);
            }
        }
    }

    private static void assertRefused(Truth truth, Set<Path> set, FoundPoint found) {
        String why = assertThrows(BrokenChainException.class, found::path).getMessage();
        List<String> named = truth.holders.keySet().stream().filter(name -> why.contains(name + ".zst")).toList();
        assertTrue(!named.isEmpty() || why.contains("a delta before it is missing altogether"), why);
        for (String name : named) {
            assertTrue(truth.holders.get(name).stream().noneMatch(set::contains), () -> name + " is there: " + why);
        }
    }

    /// with all vaults at hand the catalogue claims no copy that is none, and as many copies of a point as would have to burn
    private void assertCopies(Truth truth) throws IOException {
        Map<UUID, Path> byId = new HashMap<>();
        for (Path vault : all()) {
            byId.put(Vault.open(vault).id(), vault);
        }
        Copies copies = scene.catalogue(all().toArray(Path[]::new)).copies(VOLUME, truth.archives);
        for (StoredArchive archive : truth.archives) {
            Set<Path> claimed = copies.holders(archive).stream().map(byId::get).collect(Collectors.toSet());
            assertEquals(truth.holders.get(archive.manifest().baseName()), claimed, () -> "who holds " + archive.manifest().baseName());
        }
        for (Set<Path> left : sets(truth, truth)) {
            Set<State> reached = truth.reached(left);
            for (State state : truth.reached()) {
                int burnt = truth.vaults.size() - left.size();
                assertTrue(copies.of(state) > 0, "what can be restored has a copy");
                assertTrue(burnt >= copies.of(state) || reached.contains(state), () -> copies.of(state) + " copies are claimed of " + state);
            }
        }
    }
}
