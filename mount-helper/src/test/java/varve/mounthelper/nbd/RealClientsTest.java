package varve.mounthelper.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.mounthelper.Scene;
import varve.testdata.Histories;
import varve.testdata.History;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;

/// The clients that people use, against what they should see: libnbd's (nbdinfo, nbdcopy, nbdsh, nbdfuse), QEMU's, fio.
final class RealClientsTest {

    private static final int MIB = 1 << 20;
    private static final int SIZE = 9 * MIB + 512;
    private static final int PATTERN = 0x5a;
    private static final String FIRST = "tools@2026-11-20T02:00:00.000Z";
    private static final String SECOND = "tools@2026-11-21T02:00:00.000Z";
    private static final Pattern RUN =
            Pattern.compile("\"offset\": (\\d+),\\s*\"length\": (\\d+),\\s*\"type\": (\\d+)");

    @TempDir
    static Path folder;

    private static Path vault;
    private static byte[] old;
    private static byte[] image;
    private static TestServer server;

    @BeforeAll
    static void serve() throws Exception {
        old = Scene.image(1, SIZE);
        Arrays.fill(old, 2 * MIB, 3 * MIB, (byte) PATTERN);
        Arrays.fill(old, 5 * MIB, 6 * MIB, (byte) 0);
        image = old.clone();
        Arrays.fill(image, 2 * MIB + 4096, 2 * MIB + 8192, (byte) 1);
        vault = new Scene(folder).archive(old).archive(image).vault;
        server = TestServer.serve(vault);
    }

    @AfterAll
    static void end() throws Exception {
        server.close();
        assertEquals(List.of(), server.log());
    }

    private static String run(Object... command) throws IOException {
        Tools.Output output = Tools.run(command).orElse(null);
        Assumptions.assumeTrue(output != null, command[0] + " is not installed");
        assertEquals(0, output.exitCode(), () -> Arrays.toString(command) + ": " + output.text() + output.errors());
        return output.text();
    }

    /// Runs a script for nbdsh, which is connected already if there is a URI.
    private static String nbdsh(String uri, String script) throws IOException {
        // another Python may be first in the path, without the library
        return uri.isEmpty()
                ? run("env", "PATH=/usr/bin:/bin", "nbdsh", "-c", script)
                : run("env", "PATH=/usr/bin:/bin", "nbdsh", "--base-allocation", "-u", uri, "-c", script);
    }

    private static byte[] copied(TestServer from, String export, Object... options) throws IOException {
        Path copy = Files.createTempFile(folder, "copy", ".img");
        Object[] command = new Object[options.length + 3];
        command[0] = "nbdcopy";
        System.arraycopy(options, 0, command, 1, options.length);
        command[command.length - 2] = from.uri(export);
        command[command.length - 1] = copy;
        run(command);
        byte[] bytes = Files.readAllBytes(copy);
        Files.delete(copy);
        return bytes;
    }

    // ---- libnbd

    @Test
    void nbdinfoSeesTheExport() throws IOException {
        String json = run("nbdinfo", "--json", server.uri(FIRST));
        for (String expected : List.of(
                "\"protocol\": \"newstyle-fixed\"", "\"structured\": true", "\"export-size\": " + SIZE, "\"is_read_only\": true",
                "\"can_multi_conn\": true", "\"can_df\": true", "\"can_cache\": true", "\"can_trim\": false", "\"can_zero\": false",
                "\"base:allocation\"", "\"varve:archive\"", "\"block_size_maximum\": 33554432", "\"description\": \"point 1, 9.0 MiB, root ")) {
            assertTrue(json.contains(expected), () -> expected + " is not in " + json);
        }
    }

    @Test
    void nbdinfoListsAllPoints() throws IOException {
        String list = run("nbdinfo", "--list", server.uri(""));
        assertTrue(list.contains("export=\"" + FIRST + "\"") && list.contains("export=\"" + SECOND + "\""), list);
    }

    private static List<long[]> map(String context) throws IOException {
        return RUN.matcher(run("nbdinfo", "--map=" + context, "--json", server.uri(SECOND))).results()
                .map((MatchResult run) -> new long[] {
                    Long.parseLong(run.group(1)), Long.parseLong(run.group(2)), Long.parseLong(run.group(3))
                })
                .toList();
    }

    @Test
    void nbdinfoMapsHolesThatAreZeros() throws IOException {
        List<long[]> map = map("base:allocation");
        assertEquals(SIZE, map.stream().mapToLong(run -> run[1]).sum());
        for (long[] run : map) {
            for (long at = run[0]; run[2] == 3 && at < run[0] + run[1]; at++) {
                assertEquals(0, image[(int) at]);
            }
        }
        assertTrue(map.stream().anyMatch(run -> run[2] == 3 && run[0] <= 5 * MIB && run[0] + run[1] >= 6 * MIB));
    }

    @Test
    void nbdinfoMapsArchives() throws IOException {
        List<long[]> map = map("varve:archive");
        assertEquals(3, map.size());
        assertArrayEquals(new long[] {2 * MIB + 4096, 4096, 2}, map.get(1));
        assertEquals(1, map.get(0)[2]);
    }

    @Test
    void nbdcopyGetsTheImage() throws IOException {
        assertArrayEquals(image, copied(server, SECOND));
        assertArrayEquals(old, copied(server, FIRST, "--connections=4", "--threads=4", "--request-size=65536"));
        assertArrayEquals(old, copied(server, FIRST, "--synchronous", "--no-extents"));
        assertArrayEquals(image, copied(server, SECOND, "--request-size=33554432"));
    }

    static List<Long> seeds() {
        return Histories.seeds(2);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyPointOfARandomHistoryIsServedAsItWas(long seed) throws Exception {
        History history = Histories.random(seed, 10, Scene.CHUNK, 20 * Scene.CHUNK);
        Scene scene = new Scene(Files.createTempDirectory(folder, "history"));
        for (History.Point point : history.points()) {
            scene.archive(point.image());
        }
        try (TestServer all = TestServer.serve(scene.vault)) {
            for (int i = 0; i < history.points().size(); i++) {
                String name = "tools@-" + (history.points().size() - 1 - i);
                String export = name.equals("tools@-0") ? "tools@latest" : name;
                byte[] expected = history.points().get(i).image();
                assertArrayEquals(expected, copied(all, export), export + " of " + history);
                for (Session.Style style : Session.Style.values()) {
                    try (NbdClient client = NbdClient.transmitting(all.socket(), export, style)) {
                        assertArrayEquals(expected, client.read(0, expected.length), export + " of " + history);
                    }
                }
            }
            assertEquals(List.of(), all.log());
        }
    }

    @Test
    void nbdshUsesEveryCommand() throws IOException {
        String done = nbdsh(server.uri(SECOND), """
                assert h.get_size() == %d
                assert h.is_read_only() and h.can_multi_conn() and h.can_df() and h.can_cache()
                assert not h.can_flush() and not h.can_fua() and not h.can_trim() and not h.can_zero() and not h.can_fast_zero()
                assert h.get_block_size(nbd.SIZE_MAXIMUM) == 32 << 20
                whole = h.pread(h.get_size(), 0)
                parts = bytearray(h.get_size())
                def chunk(buffer, offset, status, error):
                    assert status in (nbd.READ_DATA, nbd.READ_HOLE)
                    parts[offset:offset + len(buffer)] = buffer
                h.pread_structured(h.get_size(), 0, chunk)
                assert parts == whole
                pieces = []
                def piece(buffer, offset, status, error):
                    pieces.append(bytes(buffer))
                h.pread_structured(65536, 12345, piece, flags=nbd.CMD_FLAG_DF)
                assert pieces == [whole[12345:12345 + 65536]]
                h.cache(1 << 20, 0)
                def extents(context, offset, entries, error):
                    assert context == "base:allocation" and offset == 0 and sum(entries[::2]) == len(whole)
                h.block_status(h.get_size(), 0, extents)
                def one(context, offset, entries, error):
                    assert len(entries) == 2 and entries[0] <= 512
                h.block_status(512, 0, one, flags=nbd.CMD_FLAG_REQ_ONE)
                h.set_strict_mode(0)
                def refused(errno, call):
                    try:
                        call()
                    except nbd.Error as e:
                        assert e.errno == errno, e
                        return
                    assert False, "granted"
                refused("EPERM", lambda: h.pwrite(bytes(4096), 0))
                refused("EPERM", lambda: h.zero(4096, 0))
                refused("EPERM", lambda: h.trim(4096, 0))
                refused("EINVAL", lambda: h.pread(512, h.get_size()))
                refused("EINVAL", lambda: h.cache(512, h.get_size() - 1))
                h.flush()
                assert h.pread(h.get_size(), 0) == whole
                h.shutdown()
                print("done")
                """.formatted(SIZE));
        assertEquals("done", done);
    }

    @Test
    void nbdshUsesEveryOption() throws IOException {
        String done = nbdsh("", """
                def opened():
                    h = nbd.NBD()
                    h.set_opt_mode(True)
                    h.connect_unix("%s")
                    return h
                h = opened()
                names = []
                assert h.opt_list(lambda name, description: names.append(name)) == 2
                assert names == ["%s", "%s"]
                h.set_export_name("tools@-1")
                h.set_full_info(True)
                h.opt_info()
                assert h.get_size() == %d and h.get_canonical_export_name() == "%s"
                assert h.get_export_description().startswith("point 1,")
                contexts = []
                h.opt_list_meta_context(contexts.append)
                assert contexts == ["base:allocation", "varve:archive"]
                h.set_export_name("nothing")
                try:
                    h.opt_go()
                    assert False
                except nbd.Error as e:
                    assert e.errno == "ENOENT", e
                h.set_export_name("tools")
                h.add_meta_context("varve:archive")
                h.opt_go()
                assert h.can_meta_context("varve:archive") and not h.can_meta_context("base:allocation")
                h.shutdown()
                h = opened()
                h.opt_abort()
                assert h.aio_is_closed()
                h = nbd.NBD()
                h.set_request_structured_replies(False)
                h.set_handshake_flags(0)
                h.set_export_name("tools")
                h.connect_unix("%s")
                assert not h.get_structured_replies_negotiated() and h.get_protocol() == "newstyle"
                assert len(h.pread(h.get_size(), 0)) == %d
                print("done")
                """.formatted(server.socket(), FIRST, SECOND, SIZE, FIRST, server.socket(), SIZE));
        assertEquals("done", done);
    }

    @Test
    void nbdfuseMakesAFileOfIt() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available() && Files.exists(Path.of("/dev/fuse")), "no FUSE here");
        Assumptions.assumeTrue(Tools.find("nbdfuse").isPresent(), "nbdfuse is not installed");
        Path point = Files.createDirectory(folder.resolve("fuse"));
        Path pid = folder.resolve("nbdfuse.pid");
        Process nbdfuse = new ProcessBuilder("nbdfuse", "-r", "-P", pid.toString(), point + "/point.img", server.uri(SECOND))
                .redirectErrorStream(true).start();
        try {
            while (!Files.exists(pid) && nbdfuse.isAlive()) {
                Thread.sleep(10);
            }
            assertArrayEquals(image, Files.readAllBytes(point.resolve("point.img")));
        } finally {
            Tools.run("fusermount3", "-u", point);
            nbdfuse.waitFor();
        }
    }

    // ---- QEMU

    @Test
    void qemuImgComparesAndConverts() throws IOException {
        Path raw = Files.write(folder.resolve("image.raw"), image);
        Path qcow2 = folder.resolve("image.qcow2");
        run("qemu-img", "compare", "-f", "raw", "-F", "raw", server.uri(SECOND), raw);
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", server.uri(SECOND), qcow2);
        run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", server.uri(SECOND), qcow2);
        String info = run("qemu-img", "info", "--output=json", "-f", "raw", server.uri(FIRST));
        assertTrue(info.contains("\"virtual-size\": " + SIZE), info);
        String map = run("qemu-img", "map", "--output=json", "-f", "raw", server.uri(FIRST));
        assertTrue(map.contains("\"zero\": true"), map);
        Tools.Output differs = Tools.run("qemu-img", "compare", "-f", "raw", "-F", "raw", server.uri(FIRST), raw).orElseThrow();
        assertEquals(1, differs.exitCode());
        assertTrue(differs.text().contains("at offset " + (2 * MIB + 4096)), differs.text());
    }

    @Test
    void qemuIoReadsPatterns() throws IOException {
        String[] reads = {"read -P 0x5a 3072k 0", "read -P 0x5a 2M 4k", "read -P 1 2052k 4k", "read -P 0x5a 2056k 1016k", "read -P 0 5M 1M"};
        for (String read : reads) {
            String said = run("qemu-io", "-r", "-f", "raw", "-c", read, server.uri(SECOND));
            assertTrue(!said.contains("failed") && said.contains("read "), read + ": " + said);
        }
        Tools.Output wrong = Tools.run("qemu-io", "-r", "-f", "raw", "-c", "read -P 0x5b 2M 4k", server.uri(SECOND)).orElseThrow();
        assertTrue(wrong.text().contains("Pattern verification failed"), wrong.text());
    }

    // ---- fio

    private static boolean fioSpeaksNbd() throws IOException {
        return Tools.run("fio", "--enghelp").filter(output -> output.text().contains("nbd")).isPresent();
    }

    @Test
    void fioReadsAtRandomFromSeveralClients() throws IOException {
        Assumptions.assumeTrue(fioSpeaksNbd(), "fio is not installed, or without nbd");
        run("fio", "--name=n", "--ioengine=nbd", "--uri=" + server.uri("tools"), "--rw=randread", "--bssplit=512/30:4k/60:128k/10",
                "--size=8M", "--io_size=64M", "--iodepth=32", "--numjobs=4", "--thread", "--randrepeat=0", "--norandommap");
    }

    @Test
    void fioFindsWhatItWrote() throws Exception {
        Assumptions.assumeTrue(fioSpeaksNbd(), "fio is not installed, or without nbd");
        byte[] bytes = new byte[8 * MIB];
        try (TestServer memory = TestServer.serve(new MemoryExport(bytes), TestServer.SETTINGS)) {
            run("fio", "--name=n", "--ioengine=nbd", "--uri=" + memory.uri("memory"), "--rw=randrw", "--bssplit=512/20:4k/60:64k/20",
                    "--size=8M", "--iodepth=32", "--verify=crc32c", "--verify_state_save=0", "--verify_fatal=1", "--fsync=16", "--randrepeat=0");
        }
        assertNotEquals(-1, Arrays.mismatch(bytes, new byte[8 * MIB]));
    }

    @Test
    void qemuImgAndNbdcopyWriteAnImage() throws Exception {
        Path raw = Files.write(folder.resolve("written.raw"), image);
        byte[] bytes = new byte[SIZE];
        try (TestServer memory = TestServer.serve(new MemoryExport(bytes), TestServer.SETTINGS)) {
            Arrays.fill(bytes, (byte) 7);
            run("nbdcopy", raw, memory.uri("memory"));
            assertArrayEquals(image, bytes);
            Arrays.fill(bytes, (byte) 7);
            run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", raw, memory.uri("memory"));
            assertArrayEquals(image, bytes);
        }
    }
}
