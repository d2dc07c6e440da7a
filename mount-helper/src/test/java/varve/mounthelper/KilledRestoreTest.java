package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.LoopDevice;
import varve.testdata.VarveProcess;

/// A restore that dies at any moment has done no harm, and the same command carries on: `-Dvarve.test.kills=N` of each kind.
final class KilledRestoreTest {
    private static final int KILLS = Integer.getInteger("varve.test.kills", 6);
    private static final int SIZE = 40 << 20;

    @TempDir
    Path folder;

    private final long seed = Long.getLong("varve.test.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Scene scene;
    private byte[] image;

    @BeforeEach
    void place() throws Exception {
        System.out.println("KilledRestoreTest: -Dvarve.test.seed=" + seed);
        scene = new Scene(folder);
        image = Scene.image(random.nextLong(), SIZE - random.nextInt(100_000));
        scene.archive(Scene.changed(Scene.changed(image, 1), 2)).archive(Scene.changed(image, 1)).archive(image);
    }

    private VarveProcess restore(Path target, String... options) throws Exception {
        List<Object> words = new ArrayList<>(List.of("restore", "tools@latest", target, "--vault", scene.vault, "--threads", "2"));
        words.addAll(Arrays.asList(options));
        return VarveProcess.start(words.toArray());
    }

    /// {@return whether it was killed before it ended}
    private boolean killed(VarveProcess varve, long millis) throws Exception {
        long start = System.nanoTime();
        varve.await(() -> System.nanoTime() - start >= millis * 1_000_000);
        return varve.kill().killed();
    }

    @Test
    void whatHasTheNameOfAFileIsAnImage() throws Exception {
        Path target = folder.resolve("t.img");
        byte[] old = Scene.dense(1, 1 << 20);
        int killed = 0;
        long longest = 1500;
        for (int round = 0; killed < KILLS; round++) {
            Files.deleteIfExists(target);
            if (round % 2 == 1) {
                Files.write(target, old);
            }
            for (int i = random.nextInt(4); i >= 0; i--) {
                try (VarveProcess varve = restore(target, "--overwrite", target.toString(), "--bwlimit", "150M")) {
                    boolean dead = killed(varve, 150 + random.nextLong(longest));
                    killed += dead ? 1 : 0;
                    if (Files.exists(target) && Files.size(target) != old.length) {
                        Scene.assertHolds(image, target);
                    } else {
                        assertTrue(dead, "it ended, but there is no image");
                        assertEquals(round % 2 == 1, Files.exists(target));
                    }
                }
            }
            try (VarveProcess varve = restore(target, "--overwrite", target.toString())) {
                varve.end().expect(0);
            }
            Scene.assertHolds(image, target);
            Scene.assertNoStage(folder);
        }
        System.out.println("KilledRestoreTest: " + killed + " kills of restores to a file");
    }

    @Test
    void aDeviceIsCompletedByTheSameCommand() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root, for loop devices");
        int killed = 0;
        while (killed < KILLS) {
            Path backing = Files.write(folder.resolve("backing"), Scene.dense(random.nextLong(), SIZE + 4096));
            try (LoopDevice device = LoopDevice.attach(backing)) {
                String[] mode = random.nextBoolean() ? new String[] {"--in-place"} : new String[] {"--quiet"};
                for (int i = random.nextInt(4); i >= 0; i--) {
                    try (VarveProcess varve = restore(device.path(), "--overwrite", device.path().toString(), "--bwlimit", "150M", mode[0])) {
                        killed += killed(varve, 150 + random.nextLong(1500)) ? 1 : 0;
                    }
                }
                try (VarveProcess varve = restore(device.path(), "--overwrite", device.path().toString(), mode[0])) {
                    varve.end().expect(0);
                }
                Scene.assertBeginsWith(image, device.path());
            }
        }
        System.out.println("KilledRestoreTest: " + killed + " kills of restores to a device");
    }

    @Test
    void aLaterRunKeepsWhatIsDone() throws Exception {
        image = Scene.dense(random.nextLong(), SIZE);
        scene.archive(image);
        Path target = folder.resolve("t.img");
        Path stage = folder.resolve("t.img.varve-partial");
        try (VarveProcess varve = restore(target, "--bwlimit", "16M")) {
            assertTrue(varve.await(() -> Files.exists(stage) && blocks(stage) >= 16 << 20));
            varve.kill();
        }
        assertFalse(Files.exists(target));
        Restoration.Outcome outcome = scene.restore("tools", target, RestoreOptions.of(2));
        assertTrue(outcome.kept() >= 14 << 20, outcome::toString);
        Scene.assertHolds(image, target);
    }

    private static long blocks(Path file) throws Exception {
        return 512 * Long.parseLong(Scene.run("stat", "-c", "%b", file.toString()).strip());
    }
}
