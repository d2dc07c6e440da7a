package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A chain of many dailies, each of them needed: it opens, is restored and consolidated, and takes no more memory than a short one.
/// `-Dvarve.test.chain=400` makes it more than a year.
class LongChainTest {

    private static final int DELTAS = Integer.getInteger("varve.test.chain", 60);
    private static final int SIZE = 2 << 20;
    private static final long MORE_KIB = 40 << 10;

    /// a heap that would not hold a frame and tables of each archive for long
    private static final List<String> SMALL = List.of(
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx40m", "--enable-native-access=ALL-UNNAMED");

    @TempDir
    Path folder;

    @Test
    void aLongChainOpensRestoresAndConsolidates() throws Exception {
        long seed = Long.getLong("varve.test.seed", System.nanoTime());
        System.out.println("LongChainTest: -Dvarve.test.seed=" + seed);
        Random random = new Random(seed);
        Scene scene = new Scene(folder);
        List<byte[]> points = new ArrayList<>();
        byte[] image = Scene.dense(seed, SIZE);
        for (int day = 0; day <= DELTAS; day++) {
            scene.archive(image);
            points.add(image);
            image = image.clone();
            int block = (day < SIZE / Scene.BLOCK ? day : random.nextInt(SIZE / Scene.BLOCK)) * Scene.BLOCK; // so no delta covers another
            System.arraycopy(Images.noise(random.nextLong(), Scene.BLOCK), 0, image, block, Scene.BLOCK);
        }
        assertEquals(DELTAS + 1, scene.plan("tools@latest", folder.resolve("new.img")).chain().size());
        for (int back : new int[] {0, 1, DELTAS / 2, DELTAS}) {
            assertRestored(scene, back, points);
        }

        long oneDelta = peak("restore", "tools@-" + (DELTAS - 1), folder.resolve("short.img"), "--vault", scene.vault);
        long all = peak("restore", "tools@latest", folder.resolve("long.img"), "--vault", scene.vault);
        assertTrue(all < oneDelta + MORE_KIB, () -> "restored with " + all + " KiB, one delta with " + oneDelta);
        long fold = peak("consolidate", "tools", "--from", "-" + DELTAS, "--vault", scene.vault);
        assertTrue(fold < oneDelta + 2 * MORE_KIB, () -> "folded with " + fold + " KiB");
        assertEquals(2, scene.plan("tools@latest", folder.resolve("new.img")).chain().size());
        assertRestored(scene, 0, points);
        long full = peak("consolidate", "tools", "--full", "--to", "-1", "--vault", scene.vault); // out of the long chain
        assertTrue(full < oneDelta + 2 * MORE_KIB, () -> "made a full with " + full + " KiB");
        assertEquals(1, scene.plan("tools@-1", folder.resolve("new.img")).chain().size());
        assertRestored(scene, 1, points);
        System.out.println("LongChainTest: one delta " + oneDelta + " KiB, " + DELTAS + " deltas " + all + ", folded " + fold + ", full " + full);
    }

    private void assertRestored(Scene scene, int back, List<byte[]> points) throws Exception {
        Path target = folder.resolve("restored.img");
        Files.deleteIfExists(target);
        scene.restore("tools@-" + back, target);
        Scene.assertHolds(points.get(points.size() - 1 - back), target);
    }

    /// {@return the most memory that a command took that has to end well, in KiB}
    private static long peak(Object... words) throws Exception {
        long[] most = {0};
        try (VarveProcess varve = VarveProcess.start(List.of(), SMALL, words)) {
            varve.await(() -> {
                most[0] = Math.max(most[0], memory(varve.pid()));
                return false;
            });
            Ended end = varve.end();
            end.expect(0);
        }
        return most[0];
    }

    private static long memory(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc", String.valueOf(pid), "status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0; // it has just ended
        }
    }
}
