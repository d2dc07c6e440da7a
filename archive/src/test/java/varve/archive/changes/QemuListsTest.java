package varve.archive.changes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.changes.ChangeSource.Kind;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.testdata.Tools;

/// Lists of what has changed that QEMU's tools print of an image that was written to: what differs is listed, and not all of the device.
class QemuListsTest {

    private static final int SIZE = 8 << 20;
    private static final int BLOCK = 4096;

    @TempDir
    Path folder;

    private final long seed = Histories.seeds(1).getFirst();
    private byte[] before;

    @BeforeEach
    void make() throws IOException {
        List<String> missing = Stream.of("qemu-img", "qemu-io", "qemu-nbd", "nbdinfo").filter(tool -> Tools.find(tool).isEmpty()).toList();
        assumeTrue(missing.isEmpty(), "needs " + missing);
        before = Images.mixed(seed, SIZE);
        Files.write(folder.resolve("before.img"), before);
    }

    private static String run(Object... command) throws IOException {
        return Tools.run(command).orElseThrow().expectSuccess().text();
    }

    private void write(Path image) throws IOException {
        Random random = new Random(seed);
        for (int i = 0; i < 12; i++) {
            int length = 512 * (1 + random.nextInt(40));
            int offset = random.nextInt((SIZE - length) / 512) * 512;
            run("qemu-io", "-f", "qcow2", "-c", "write -P " + (1 + random.nextInt(255)) + " " + offset + " " + length, image);
        }
        run("qemu-io", "-f", "qcow2", "-c", "write -z 1048576 65536", image);
    }

    private void assertListed(String text, Path image) throws IOException {
        Path raw = folder.resolve("after.img");
        run("qemu-img", "convert", "-O", "raw", image, raw);
        byte[] after = Files.readAllBytes(raw);
        ChangeList list = new ChangeSource(Kind.EXTENTS, Files.writeString(folder.resolve("list.json"), text), OptionalLong.empty()).read(SIZE);
        assertEquals(0, list.outside());
        assertTrue(list.listedSize() < SIZE / 2, list.listedSize() + " bytes listed");
        int differing = 0;
        for (int at = 0; at < SIZE; at += BLOCK) {
            if (!Arrays.equals(before, at, at + BLOCK, after, at, at + BLOCK)) {
                assertEquals(at, list.listedFrom(at), "block that differs");
                differing++;
            }
        }
        assertTrue(differing > 5, differing + " blocks differ");
    }

    @Test
    void theMapOfAnOverlay() throws Exception {
        Path overlay = folder.resolve("overlay.qcow2");
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", folder.resolve("before.img"), overlay);
        write(overlay);
        assertListed(run("qemu-img", "map", "--output=json", overlay), overlay);
    }

    @Test
    void aDirtyBitmapOverNbd() throws Exception {
        Path image = folder.resolve("image.qcow2");
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder.resolve("before.img"), image);
        run("qemu-img", "bitmap", "--add", "-g", "65536", image, "nightly");
        write(image);
        Path socket = folder.resolve("socket");
        Process server = new ProcessBuilder(
                Tools.find("qemu-nbd").orElseThrow().toString(), "-r", "-f", "qcow2", "-B", "nightly", "-k", socket.toString(), image.toString())
                .inheritIO().start();
        try {
            while (server.isAlive() && !Files.exists(socket)) {
                Thread.sleep(20);
            }
            String map = run("nbdinfo", "--map=qemu:dirty-bitmap:nightly", "--json", "nbd+unix:///?socket=" + socket);
            assertListed(map, image);
        } finally {
            server.destroy();
            server.waitFor();
        }
    }
}
