package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.mounthelper.Scene;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// `varve serve --pull`: a point in time that is served while it is restored.
final class PullTest {

    private static final int MIB = 1 << 20;
    private static final int SIZE = 48 * MIB + 512;

    @TempDir
    Path folder;

    private Scene scene;
    private byte[] image;
    private Path socket;
    private Path target;

    @BeforeEach
    void archive() throws Exception {
        byte[] old = Scene.image(1, SIZE);
        image = Scene.changed(old, 2);
        scene = new Scene(folder).archive(old).archive(image);
        socket = folder.resolve("s");
        target = folder.resolve("t.img");
    }

    private VarveProcess serve(Object... more) throws Exception {
        Files.deleteIfExists(socket);
        List<Object> words = new ArrayList<>(List.of("serve", "tools", "--vault", scene.vault, "--socket", socket));
        words.addAll(Arrays.asList(more));
        VarveProcess varve = VarveProcess.start(words.toArray());
        assertTrue(varve.awaitSocket(socket), "ended");
        return varve;
    }

    private String run(String... command) throws IOException {
        List<Object> words = new ArrayList<>(Arrays.asList(command));
        words.add("nbd+unix:///?socket=" + socket);
        Tools.Output output = Tools.run(words.toArray()).orElse(null);
        Assumptions.assumeTrue(output != null, command[0] + " is not installed");
        assertEquals(0, output.exitCode(), () -> output.text() + output.errors());
        assertFalse(output.text().contains("failed"), output.text());
        return output.text();
    }

    private void write(byte[] expected, int value, int offset, int size) throws IOException {
        run("qemu-io", "-f", "raw", "-c", "write -P " + value + " " + offset + " " + size, "-c", "flush", "-c", "read -P " + value + " " + offset + " " + size);
        Arrays.fill(expected, offset, offset + size, (byte) value);
    }

    @Test
    void thePointIsServedAtOnceAndRestoredMeanwhile() throws Exception {
        Files.write(target, Scene.dense(1, MIB));
        try (VarveProcess varve = serve("--pull", target, "--overwrite", target)) {
            byte[] expected = image.clone();
            run("qemu-io", "-r", "-f", "raw", "-c", "read 40M 1M", "-c", "read 47M 1M");
            Path copy = folder.resolve("copy");
            Tools.run("nbdcopy", "nbd+unix:///?socket=" + socket, copy).orElseThrow().expectSuccess();
            assertEquals(-1, Arrays.mismatch(expected, Files.readAllBytes(copy)));
            varve.await(() -> Files.size(target) == SIZE); // it takes its name
            run("qemu-io", "-r", "-f", "raw", "-c", "read 0 1M");
            Ended ended = varve.terminate().expect(143);
            assertTrue(ended.err().contains("can be switched to"), ended.err());
            assertTrue(ended.out().contains("proved from the medium: root "), ended.out());
        }
        assertEquals(-1, Arrays.mismatch(image, Files.readAllBytes(target)));
        assertTrue(Files.readString(scene.vault.resolve("tools/receipts.jsonl")).contains("\"restore\""));
    }

    @Test
    void whatWasWrittenMeanwhileIsAppliedInTheEnd() throws Exception {
        byte[] expected = image.clone();
        Path overlay = folder.resolve("o");
        try (VarveProcess varve = serve("--pull", target, "--writable", overlay)) {
            write(expected, 0x11, 4096, 8192);
            write(expected, 0x22, 40 * MIB + 100, 3000);
            varve.kill();
        }
        try (VarveProcess varve = serve("--pull", target, "--writable", overlay, "--idle-timeout", "2")) {
            write(expected, 0x33, SIZE - 700, 700);
            write(expected, 0x44, 8192, 4096);
            run("qemu-io", "-f", "raw", "-c", "write -z 20M 3M", "-c", "flush");
            Arrays.fill(expected, 20 * MIB, 23 * MIB, (byte) 0);
            Ended ended = varve.end().expect(0);
            assertTrue(ended.out().contains("then applied what was written since"), ended.out() + ended.err());
            assertTrue(ended.err().contains("  written  "), ended.err());
        }
        assertEquals(-1, Arrays.mismatch(expected, Files.readAllBytes(target)));
    }

    @Test
    void aDeviceIsNamedAgainAndGetsTheImage() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "no loop devices here");
        Path backing = folder.resolve("backing");
        try (RandomAccessFile access = new RandomAccessFile(backing.toFile(), "rw")) {
            access.setLength(SIZE + MIB - 512);
        }
        try (LoopDevice device = LoopDevice.attach(backing)) {
            VarveProcess.run("serve", "tools", "--vault", scene.vault, "--socket", socket, "--pull", device.path()).expect(9);
            byte[] expected = image.clone();
            try (VarveProcess varve = serve("--pull", device.path(), "--overwrite", device.path(), "--writable", folder.resolve("o"), "--idle-timeout", "2")) {
                write(expected, 0x11, 4096, 8192);
                varve.end().expect(0);
            }
            byte[] found = new byte[SIZE];
            try (RandomAccessFile access = new RandomAccessFile(device.path().toFile(), "r")) {
                access.readFully(found);
            }
            assertEquals(-1, Arrays.mismatch(expected, found));
        }
    }
}
