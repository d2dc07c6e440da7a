package varve.mounthelper.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.mounthelper.Scene;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// `varve serve --writable` as it is used: the clients of libnbd, QEMU and fio write to an overlay, which is killed and attached again.
final class WritableServeTest {

    private static final int MIB = 1 << 20;
    private static final int SIZE = 24 * MIB + 512;

    @TempDir
    Path folder;

    private Scene scene;
    private Path socket;
    private Path overlay;

    @BeforeEach
    void archive() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        scene = new Scene(folder).archive(image).archive(Scene.changed(image, 2));
        socket = folder.resolve("s");
        overlay = folder.resolve("o");
    }

    private VarveProcess serve(String point, Object... more) throws Exception {
        List<Object> words = new ArrayList<>(List.of("serve", point, "--vault", scene.vault, "--socket", socket));
        words.addAll(Arrays.asList(more));
        VarveProcess varve = VarveProcess.start(words.toArray());
        varve.awaitSocket(socket);
        return varve;
    }

    private String uri() {
        return "nbd+unix:///?socket=" + socket;
    }

    /// Runs `varve` in this process.
    private static Ended varve(Object... words) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        ExitCode code = Main.run(
                new Stdio(InputStream.nullInputStream(), new PrintStream(err), new PrintStream(err), 0, System::nanoTime),
                Stream.of(words).map(Object::toString).toArray(String[]::new));
        return new Ended(code.number(), "", err.toString(StandardCharsets.UTF_8));
    }

    private static String run(Object... command) throws IOException {
        Tools.Output output = Tools.run(command).orElse(null);
        Assumptions.assumeTrue(output != null, command[0] + " is not installed");
        assertEquals(0, output.exitCode(), () -> Arrays.toString(command) + ": " + output.text() + output.errors());
        return output.text();
    }

    private String nbdsh(String script) throws IOException {
        return run("env", "PATH=/usr/bin:/bin", "nbdsh", "--base-allocation", "-u", uri(), "-c", script);
    }

    @Test
    void everyWritingCommandWorks() throws Exception {
        try (VarveProcess varve = serve("tools@-1", "--writable", overlay)) {
            assertEquals("done", nbdsh("""
                    assert not h.is_read_only() and h.can_flush() and h.can_fua() and h.can_trim() and h.can_zero() and h.can_multi_conn()
                    before = h.pread(h.get_size(), 0)
                    h.pwrite(b"x" * 5000, 12345)
                    h.pwrite(b"y" * 4096, 8192 * 3, nbd.CMD_FLAG_FUA)
                    h.zero(100000, 4000000)
                    h.zero(8192, 5000000, nbd.CMD_FLAG_NO_HOLE)
                    h.trim(65536, 6 << 20, nbd.CMD_FLAG_FUA)
                    h.cache(1 << 20, 0)
                    h.flush()
                    after = h.pread(h.get_size(), 0)
                    expected = bytearray(before)
                    expected[12345:17345] = b"x" * 5000
                    expected[8192 * 3:8192 * 3 + 4096] = b"y" * 4096
                    expected[4000000:4100000] = bytes(100000)
                    expected[5000000:5008192] = bytes(8192)
                    expected[6 << 20:(6 << 20) + 65536] = bytes(65536)
                    assert after == expected
                    runs = []
                    h.block_status(65536, 6 << 20, lambda c, o, e, err: runs.extend(e))
                    assert runs == [65536, 3], runs
                    print("done")
                    """));
            varve.kill();
        }
        Files.deleteIfExists(socket);
        try (VarveProcess varve = serve("tools@-1", "--writable", overlay)) {
            assertEquals("done", nbdsh("""
                    assert h.pread(5000, 12345) == b"x" * 5000 and h.pread(4096, 8192 * 3) == b"y" * 4096
                    assert h.pread(100000, 4000000) == bytes(100000)
                    print("done")
                    """));
            varve.kill();
        }
    }

    @Test
    void qemuIoPatternsAreThereAfterAKill() throws Exception {
        try (VarveProcess varve = serve("tools", "--writable", overlay)) {
            run("qemu-io", "-f", "raw", "-c", "write -P 0x11 1M 64k", "-c", "write -P 0x22 1030k 1k", "-c", "write -z 2M 512k", "-c",
                    "write -f -P 0x33 3145729 511", "-c", "discard 4M 1M", "-c", "flush", "-c", "write -P 0x44 10M 1M", uri());
            varve.kill();
        }
        Files.deleteIfExists(socket);
        try (VarveProcess varve = serve("tools", "--writable", overlay)) {
            for (String read : List.of("read -P 0x11 1M 6k", "read -P 0x22 1030k 1k", "read -P 0x11 1031k 57k", "read -P 0 2M 512k",
                    "read -P 0x33 3145729 511", "read -P 0 4M 1M")) {
                String said = run("qemu-io", "-r", "-f", "raw", "-c", read, uri());
                assertTrue(!said.contains("failed") && said.contains("read "), read + ": " + said);
            }
            varve.kill();
        }
        Ended other = varve("serve", "tools@-1", "--vault", scene.vault, "--writable", overlay).expect(9);
        assertTrue(other.error().contains("is an overlay of tools@2026-11-21"), other.err());
    }

    @Test
    void fioVerifiesWhatItWroteFromSeveralClients() throws Exception {
        Assumptions.assumeTrue(Tools.run("fio", "--enghelp").filter(output -> output.text().contains("nbd")).isPresent(), "no fio with nbd");
        try (VarveProcess varve = serve("tools", "--writable", overlay)) {
            run("fio", "--name=w", "--aux-path=" + folder, "--ioengine=nbd", "--uri=" + uri(), "--rw=randrw", "--bssplit=512/20:4k/60:64k/20", "--size=24M",
                    "--io_size=12M", "--iodepth=16", "--verify=crc32c", "--verify_fatal=1", "--fsync=64", "--randseed=7", "--minimal");
            varve.kill();
        }
    }

    @Test
    void whatMakesNoSenseIsRefused() throws Exception {
        for (Object[] wrong : new Object[][] {
            {"serve", "--vault", scene.vault, "--writable", overlay, 2},
            {"serve", "tools", "tools@-1", "--vault", scene.vault, "--writable", overlay, 2},
            {"serve", "tools", "--vault", scene.vault, "--writable", scene.vault.resolve("o"), 9},
            {"serve", "tools", "--vault", scene.vault, "--writable", folder.resolve("none/o"), 10},
            {"serve", "tools", "--vault", scene.vault, "--writable", folder, 9},
        }) {
            assertEquals(wrong[wrong.length - 1], varve(Arrays.copyOf(wrong, wrong.length - 1)).code());
        }
    }
}
