package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.chain.Point;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;
import varve.archive.vault.Copies;
import varve.archive.vault.Edges;
import varve.archive.vault.Vault;
import varve.testdata.Histories;

/// Random lives of several vaults, compared after every step with a model that knows nothing but which data files lie where: a home
/// that is archived to, disks that take turns, evictions, disks that are lost, catalogues that are lost and made again.
class VaultModelTest {

    private static final int STEPS = 22;

    @TempDir
    Path folder;

    private VaultScene scene;
    private Random random;
    private final List<Path> disks = new ArrayList<>();
    private final Set<String> lost = new HashSet<>(); // roots of points that burnt with a disk
    private final List<String> story = new ArrayList<>();
    private int made;

    static List<Long> seeds() {
        return Histories.seeds(3);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatTheDisksTogetherHoldIsNeverLost(long seed) throws Exception {
        scene = new VaultScene(folder, seed);
        random = scene.random;
        scene.archive();
        for (int i = 0; i < 3; i++) {
            newDisk();
        }
        for (int step = 0; step < STEPS; step++) {
            step();
            try {
                check();
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + String.join("; ", story), e);
            }
        }
    }

    private void newDisk() {
        disks.add(scene.disk("disk" + ++made));
    }

    private List<Path> all() {
        List<Path> all = new ArrayList<>(disks);
        all.add(scene.home);
        return all;
    }

    private Path any(List<Path> vaults) {
        return vaults.get(random.nextInt(vaults.size()));
    }

    // ---- steps

    private void step() throws Exception {
        switch (random.nextInt(12)) {
            case 0, 1 -> archive();
            case 2, 3, 4, 5 -> copy();
            case 6, 7, 8 -> evict();
            case 9 -> merge();
            case 10 -> rebuild();
            default -> burn();
        }
    }

    private void archive() throws Exception {
        story.add("archive");
        switch (random.nextInt(4)) {
            case 0 -> scene.archiveUnchanged();
            case 1 -> {
                scene.set(new ArrayList<>(scene.points.values()).get(random.nextInt(scene.points.size())));
                scene.archiveUnchanged();
            }
            default -> scene.archive();
        }
        lost.remove(scene.history(scene.home).latest().orElseThrow().state().root().toString());
    }

    private void copy() throws IOException {
        Path from = random.nextBoolean() ? scene.home : any(all());
        Path to = any(all());
        if (from.equals(to) || !Files.exists(from.resolve(VOLUME))) {
            return;
        }
        List<Object> words = new ArrayList<>(List.of("copy", VOLUME, "--vault", from, "--to", to));
        if (random.nextInt(3) == 0) {
            words.addAll(List.of("--vault", any(all()))); // may be the target: refused
        }
        if (random.nextInt(4) == 0) {
            words.addAll(List.of("--points", "-" + random.nextInt(3)));
        }
        ExitCode code = scene.run(words.toArray());
        story.add(words + " " + code);
        assertTrue(Set.of(ExitCode.OK, ExitCode.BROKEN_CHAIN, ExitCode.REFUSED, ExitCode.NOT_FOUND).contains(code), () -> scene.err);
    }

    private void evict() throws IOException {
        Path from = any(all());
        if (!Files.exists(from.resolve(VOLUME))) {
            return;
        }
        List<Object> words = new ArrayList<>(List.of("evict", VOLUME, "--vault", from, "--min-copies", 1 + random.nextInt(2)));
        all().stream().filter(vault -> random.nextInt(3) == 0).forEach(vault -> words.addAll(List.of("--vault", vault)));
        TreeSet<String> before = scene.dataFiles(from);
        scene.expect(ExitCode.OK, words.toArray());
        before.removeAll(scene.dataFiles(from));
        story.add(words + " -" + before.size());
    }

    private void merge() throws IOException {
        Path one = any(all());
        Path other = any(all());
        story.add("merge " + one + " " + other);
        scene.expect(ExitCode.OK, "catalogue", "merge", one, other);
    }

    /// the catalogue is lost, and made again from what lies there
    private void rebuild() throws IOException {
        Path vault = any(all());
        Path other = any(all());
        story.add("rebuild " + vault + " " + other);
        VaultScene.delete(vault.resolve("varve-catalogue"));
        if (Files.exists(vault.resolve(VOLUME))) {
            for (StoredArchive archive : scene.history(vault).archives()) {
                if (archive.dataAtHand() && random.nextBoolean()) {
                    Files.deleteIfExists(archive.index());
                    Files.deleteIfExists(archive.tree());
                } else if (!archive.dataAtHand() && random.nextInt(3) == 0 && !vault.equals(scene.home)) {
                    Files.delete(archive.manifestFile());
                    Files.deleteIfExists(archive.index());
                }
            }
        }
        scene.expect(ExitCode.OK, "catalogue", "rebuild", vault, other);
        for (StoredArchive archive : Files.exists(vault.resolve(VOLUME)) ? scene.history(vault).archives() : List.<StoredArchive>of()) {
            assertTrue(Files.exists(archive.index()));
            assertEquals(archive.dataAtHand(), Files.exists(archive.tree()));
        }
    }

    private void burn() throws IOException {
        if (disks.size() < 3) {
            newDisk();
            return;
        }
        Path disk = any(disks);
        String label = disk.getFileName().toString();
        story.add("burn " + label);
        Set<String> before = restorable(truth(all()));
        disks.remove(disk);
        VaultScene.delete(disk);
        before.removeAll(restorable(truth(all())));
        lost.addAll(before);
        newDisk();
        // said in each catalogue: who does not hear of it goes on to believe in it
        for (Path vault : all()) {
            if (scene.run("vault", "retire", label, "--lost", "--vault", vault) != ExitCode.OK) {
                assertTrue(scene.err.contains("not known"), scene.err);
            }
        }
    }

    // ---- the model

    /// {@return all archives of which there is a manifest anywhere}
    private List<StoredArchive> archives() throws IOException {
        return scene.history(all().toArray(Path[]::new)).archives();
    }

    /// {@return which archives lie in which of some vaults}
    private Map<StoredArchive, Set<Path>> truth(List<Path> vaults) throws IOException {
        Map<StoredArchive, Set<Path>> truth = new HashMap<>();
        for (StoredArchive archive : archives()) {
            Set<Path> holders = new HashSet<>();
            for (Path vault : vaults) {
                if (Files.exists(vault.resolve(VOLUME).resolve(archive.manifest().baseName() + ".zst"))) {
                    holders.add(vault);
                }
            }
            truth.put(archive, holders);
        }
        return truth;
    }

    private static Set<State> states(Map<StoredArchive, Set<Path>> truth) {
        return Edges.reached(List.copyOf(truth.keySet()), archive -> !truth.get(archive).isEmpty());
    }

    /// {@return the roots of the points that can be restored}
    private static Set<String> restorable(Map<StoredArchive, Set<Path>> truth) {
        Set<String> roots = new HashSet<>();
        states(truth).forEach(state -> roots.add(state.root().toString()));
        return roots;
    }

    private void check() throws Exception {
        for (Path vault : all()) {
            if (Files.exists(vault.resolve(VOLUME))) {
                checkVault(vault);
            }
        }
        Set<String> expected = new HashSet<>(scene.points.keySet());
        expected.removeAll(lost);
        Set<String> found = restorable(truth(all()));
        assertTrue(found.containsAll(expected), "points are lost that no disk took with it");
        checkCopies();
    }

    /// what can be restored from one vault is what the files there allow, byte by byte; the rest is refused for the right reason
    private void checkVault(Path vault) throws Exception {
        Set<State> reached = states(truth(List.of(vault)));
        List<Long> restored = scene.restorable(vault);
        for (Point point : scene.history(vault).points()) {
            assertEquals(reached.contains(point.state()), restored.contains(point.manifest().sequence()));
        }
        for (Point point : scene.history(vault).points()) {
            if (!reached.contains(point.state()) && random.nextInt(4) == 0) {
                ExitCode code = scene.run("where", VOLUME + "@" + point.state().root().toString().substring(0, 16), "--vault", vault);
                assertTrue(code == ExitCode.OK || code == ExitCode.BROKEN_CHAIN, () -> scene.err);
                break;
            }
        }
        for (StoredArchive archive : scene.history(vault).archives()) {
            assertTrue(archive.indexAtHand(), () -> archive + ": a point without its tables");
        }
    }

    /// with all vaults at hand the catalogue claims nothing that is not so
    private void checkCopies() throws IOException {
        List<Path> vaults = all();
        Map<StoredArchive, Set<Path>> truth = truth(vaults);
        Map<UUID, Path> byId = new HashMap<>();
        for (Path vault : vaults) {
            byId.put(Vault.open(vault).id(), vault);
        }
        Copies copies = scene.catalogue(vaults.toArray(Path[]::new)).copies(VOLUME, archives());
        for (StoredArchive archive : archives()) {
            for (UUID holder : copies.holders(archive)) {
                assertTrue(byId.containsKey(holder) && truth.get(archive).contains(byId.get(holder)), () -> archive.manifest().baseName() + " is claimed to be in " + holder);
            }
            State state = archive.manifest().state();
            int claimed = copies.of(state);
            for (int burnt = 0; burnt < 1 << vaults.size(); burnt++) {
                if (Integer.bitCount(burnt) < claimed) {
                    List<Path> left = new ArrayList<>();
                    for (int i = 0; i < vaults.size(); i++) {
                        if ((burnt >> i & 1) == 0) {
                            left.add(vaults.get(i));
                        }
                    }
                    Map<StoredArchive, Set<Path>> rest = new HashMap<>();
                    truth.forEach((known, holders) -> {
                        Set<Path> some = new HashSet<>(holders);
                        some.retainAll(left);
                        rest.put(known, some);
                    });
                    assertTrue(states(rest).contains(state), () -> claimed + " copies are claimed of " + state);
                }
            }
        }
    }
}
