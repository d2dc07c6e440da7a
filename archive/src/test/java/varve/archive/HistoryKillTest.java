package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;
import static varve.archive.VaultScene.assertNoStage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A consolidation or an expiry that dies at any moment leaves the old archives complete or the new ones, and the run after it ends as
/// if nothing had happened.
class HistoryKillTest {

    private static final int EVERY = Integer.getInteger("varve.test.killEvery", 8);
    private static final int KILLS = Integer.getInteger("varve.test.kills", 2);
    private static final int POINTS = 7;

    /// folds #2 to #5 over a point that stays for ever, drops the rest
    private static final Object[] EXPIRE = {"expire", VOLUME, "--keep-last", "2"};
    private static final Set<Long> KEPT = Set.of(3L, 6L, 7L);

    @TempDir
    Path folder;

    private final long seed = Long.getLong("varve.test.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private VaultScene scene;
    private Path home;
    private Path aside;
    private TreeSet<String> before;

    @BeforeEach
    void make() throws Exception {
        System.out.println("HistoryKillTest: -Dvarve.test.seed=" + seed);
        scene = new VaultScene(folder, seed);
        home = scene.home;
        aside = folder.resolve("aside");
        for (int i = 0; i < POINTS; i++) {
            scene.archive();
        }
        scene.expect(ExitCode.OK, "protect", VOLUME + "@-4", "--vault", home);
        before = scene.dataFiles(home);
        assertEquals(POINTS, before.size());
        VaultScene.copyFolder(home, aside);
    }

    /// everything as it was before the first run
    private void setBack() throws IOException {
        VaultScene.delete(home);
        VaultScene.copyFolder(aside, home);
    }

    private static Object[] at(Path vault, Object... words) {
        return Stream.concat(Stream.of(words), Stream.of("--vault", vault)).toArray();
    }

    /// {@return the data files that an undisturbed run leaves}
    private TreeSet<String> undisturbed(Object... words) throws IOException {
        scene.expect(ExitCode.OK, at(home, words));
        TreeSet<String> files = scene.dataFiles(home);
        setBack();
        return files;
    }

    private static long length(Path vault, Object... words) throws Exception {
        long start = System.nanoTime();
        VarveProcess.run(at(vault, words)).expect(0);
        return System.nanoTime() - start;
    }

    /// Looks at what a run has left that may have been killed.
    private interface Look {
        void at() throws Exception;
    }

    private void killAtRandom(Look look, TreeSet<String> after, Object... words) throws Exception {
        long length = length(home, words);
        setBack();
        int killed = 0;
        while (killed < KILLS) {
            long moment = length / 3 + random.nextLong(length * 2 / 3); // a third is the start of Java
            try (VarveProcess varve = VarveProcess.start(at(home, words))) {
                long start = System.nanoTime();
                varve.await(() -> System.nanoTime() - start >= moment);
                Ended end = varve.kill();
                killed += end.killed() ? 1 : 0;
                length = end.killed() ? length : Math.max(length * 3 / 4, 1_000_000);
            }
            look.at();
            finish(after, words);
        }
    }

    private void finish(TreeSet<String> after, Object... words) throws Exception {
        scene.expect(ExitCode.OK, at(home, words));
        assertEquals(after, scene.dataFiles(home));
        assertNoStage(home.resolve(VOLUME));
        try (Stream<Path> files = Files.list(home.resolve(VOLUME))) {
            assertEquals(List.of(), files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith(".varve-drop")).toList());
        }
        scene.catalogue(home);
        setBack();
    }

    // ---- consolidate

    private static final Object[][] CONSOLIDATIONS = {
        {"consolidate", VOLUME, "--from", "-5", "--to", "-1"}, {"consolidate", VOLUME, "--full"}};

    private void lookAfterConsolidation() throws Exception {
        assertTrue(scene.dataFiles(home).containsAll(before), "consolidation removes nothing");
        assertEquals(POINTS, scene.restorable(home).size());
    }

    @Test
    void aConsolidationKilledAtAnyMomentLosesNothing() throws Exception {
        for (Object[] words : CONSOLIDATIONS) {
            TreeSet<String> after = undisturbed(words);
            assertEquals(POINTS + 1, after.size());
            killAtRandom(this::lookAfterConsolidation, after, words);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rename", "fsync"})
    void everyStepOfAConsolidationMayBeTheLast(String calls) throws Exception {
        TreeSet<String> after = undisturbed(CONSOLIDATIONS[0]);
        atEachStep(calls, this::lookAfterConsolidation, after, CONSOLIDATIONS[0]);
    }

    private void atEachStep(String calls, Look look, TreeSet<String> after, Object... words) throws Exception {
        int killed = 0;
        for (int step = 1; VaultScene.killed(calls, step, at(home, words)); step += EVERY) {
            killed++;
            look.at();
            finish(after, words);
        }
        System.out.println("HistoryKillTest: " + words[0] + ": " + killed + " kills in front of " + calls);
        assertTrue(killed > 0);
    }

    // ---- expire

    /// the old archives are all there, or the new ones are and prove everything that is kept
    private void lookAfterExpiry(TreeSet<String> after) throws Exception {
        Set<String> now = scene.history(home).archives().stream() // whose manifest is gone is none
                .filter(StoredArchive::dataAtHand)
                .map(archive -> archive.data().getFileName().toString())
                .collect(Collectors.toSet());
        boolean old = now.containsAll(before);
        assertTrue(old || now.containsAll(after), () -> "neither: " + now);
        List<Long> restored = scene.restorable(home);
        assertTrue(restored.containsAll(KEPT), () -> "kept, and gone: " + restored);
        if (old) {
            assertEquals(POINTS, restored.size());
        }
    }

    private TreeSet<String> expired() throws IOException {
        TreeSet<String> after = undisturbed(EXPIRE);
        assertTrue(after.size() < POINTS && !before.containsAll(after), () -> "folds and removes: " + after);
        assertFalse(after.containsAll(before));
        return after;
    }

    @Test
    void anExpiryKilledAtAnyMomentLosesNothingThatIsKept() throws Exception {
        TreeSet<String> after = expired();
        killAtRandom(() -> lookAfterExpiry(after), after, EXPIRE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rename", "unlink"})
    void everyStepOfAnExpiryMayBeTheLast(String calls) throws Exception {
        TreeSet<String> after = expired();
        atEachStep(calls, () -> lookAfterExpiry(after), after, EXPIRE);
    }
}
