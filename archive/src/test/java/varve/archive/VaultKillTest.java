package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;
import static varve.archive.VaultScene.assertNoStage;
import static varve.archive.VaultScene.assertSame;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.cli.ExitCode;
import varve.archive.file.StoredArchive;
import varve.testdata.Images;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A copy or an eviction that dies at any moment loses nothing, and the run after it ends as if nothing had happened. In each check some
/// of the moments; `-Dvarve.test.killEvery=1 -Dvarve.test.kills=50` for more.
class VaultKillTest {

    private static final int EVERY = Integer.getInteger("varve.test.killEvery", 8);
    private static final int KILLS = Integer.getInteger("varve.test.kills", 3);

    @TempDir
    Path folder;

    private VaultScene scene;
    private Path home;
    private int disks;

    @BeforeEach
    void make() throws Exception {
        scene = new VaultScene(folder, 4);
        home = scene.home;
        scene.archive();
        scene.archive();
    }

    // ---- at each step

    @ParameterizedTest
    @ValueSource(strings = {"rename", "fsync", "ftruncate", "mkdir", "pwrite64"})
    void everyStepOfACopyMayBeTheLast(String calls) throws Exception {
        int stride = EVERY * (calls.equals("pwrite64") || calls.equals("fsync") ? 4 : 1);
        int killed = 0;
        boolean more = true;
        for (int step = 1; more; step += stride) {
            Path disk = scene.disk("disk" + ++disks);
            more = VaultScene.killed(calls, step, "copy", VOLUME, "--vault", home, "--to", disk);
            killed += more ? 1 : 0;
            lookAfterCopy(disk);
            scene.copy(disk);
            assertComplete(disk);
            VaultScene.delete(disk);
            VaultScene.delete(home.resolve("varve-catalogue")); // or it would go on to know all of these disks
        }
        System.out.println("VaultKillTest: copy: " + killed + " kills in front of " + calls);
        assertTrue(killed > 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rename", "fsync", "unlink", "pwrite64"})
    void everyStepOfAnEvictionMayBeTheLast(String calls) throws Exception {
        Path disk = scene.disk("disk");
        int stride = EVERY * (calls.equals("fsync") ? 2 : 1);
        int killed = 0;
        boolean more = true;
        for (int step = 1; more; step += stride) {
            scene.copy(disk);
            scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", disk, "--to", home);
            assertEquals(2, scene.dataFiles(home).size());
            more = VaultScene.killed(calls, step, "evict", VOLUME, "--vault", home, "--min-copies", "1");
            killed += more ? 1 : 0;
            assertEquals(scene.points.size(), scene.restorable(home, disk).size());
            assertTrue(scene.history(home).archives().stream().allMatch(StoredArchive::indexAtHand));
            scene.catalogue(home);
            scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1");
            assertEquals(Set.of(), scene.dataFiles(home));
            assertEquals(List.of(1, 1), scene.copies());
        }
        System.out.println("VaultKillTest: evict: " + killed + " kills in front of " + calls);
        assertTrue(killed > 0);
        scene.archive();
        assertEquals(scene.points.size(), scene.restorable(home, disk).size());
    }

    // ---- at random moments

    @Test
    void aCopyKilledAtAnyMomentLosesNothing() throws Exception {
        long seed = Long.getLong("varve.test.seed", System.nanoTime());
        System.out.println("VaultKillTest: -Dvarve.test.seed=" + seed);
        Random random = new Random(seed);
        scene.set(Images.noise(seed, 6 << 20));
        scene.archiveUnchanged();
        Path disk = scene.disk("disk");
        int killed = 0;
        int left = 0;
        while (killed < KILLS) {
            long patience = random.nextLong(3_000_000_000L);
            try (VarveProcess varve = VarveProcess.start("copy", VOLUME, "--vault", home, "--to", disk, "--bwlimit", "8M")) {
                long start = System.nanoTime();
                varve.await(() -> System.nanoTime() - start >= patience);
                Ended end = varve.kill();
                killed += end.killed() ? 1 : 0;
                if (!end.killed()) {
                    end.expect(0);
                    scene.archive();
                    disk = scene.disk("disk" + ++disks);
                }
            }
            left += staged(disk) ? 1 : 0;
            lookAfterCopy(disk);
        }
        scene.copy(disk);
        assertComplete(disk);
        System.out.println("VaultKillTest: " + killed + " kills, " + left + " with a stage left");
    }

    @Test
    void aCopyThatIsToldToEndIsResumed() throws Exception {
        scene.set(Images.noise(1, 6 << 20));
        scene.archiveUnchanged();
        Path disk = scene.disk("disk");
        try (VarveProcess varve = VarveProcess.start("copy", VOLUME, "--vault", home, "--to", disk, "--bwlimit", "2M")) {
            assertTrue(varve.await(() -> stagedSize(disk) > 3 << 20));
            varve.terminate().expect(143);
        }
        scene.copy(disk);
        assertTrue(scene.out.contains("MiB were there already, and right"), scene.out);
        assertComplete(disk);
    }

    // ---- what is there

    private static boolean staged(Path disk) throws IOException {
        return stagedSize(disk) > 0;
    }

    private static long stagedSize(Path disk) throws IOException {
        Path volume = disk.resolve(VOLUME);
        if (!Files.exists(volume)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(volume)) {
            return files.map(Path::toFile)
                    .filter(file -> file.getName().startsWith(".varve-stage-") && file.getName().endsWith(".zst"))
                    .mapToLong(java.io.File::length)
                    .sum();
        }
    }

    /// what there is is right, and nobody claims more
    private void lookAfterCopy(Path disk) throws Exception {
        assertEquals(scene.points.size(), scene.restorable(home).size());
        scene.restorable(disk);
        if (Files.exists(disk.resolve(VOLUME))) {
            for (StoredArchive archive : scene.history(disk).archives()) {
                StoredArchive original = new StoredArchive(home.resolve(VOLUME), archive.manifest());
                assertSame(original.manifestFile(), archive.manifestFile());
                if (archive.dataAtHand()) {
                    assertSame(original.data(), archive.data());
                }
            }
        }
        scene.catalogue(home, disk).stocks(VOLUME);
    }

    private void assertComplete(Path disk) throws Exception {
        assertEquals(scene.points.size(), scene.restorable(disk).size());
        assertNoStage(disk.resolve(VOLUME));
        assertNoStage(disk);
        assertNoStage(disk.resolve("varve-catalogue"));
        assertNoStage(home.resolve("varve-catalogue"));
        assertTrue(scene.copies(home, disk).stream().allMatch(copies -> copies >= 2), () -> "not all proved");
    }
}
