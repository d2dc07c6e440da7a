package varve.mounthelper.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.mounthelper.FileTree;
import varve.testdata.Disk;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// `varve mount` as an operator runs it, on real file systems, in a folder of its own; afterwards nothing may be left.
@Timeout(600)
abstract class RealMounts {

    static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    Path vault;
    Path place;
    Path runtime;

    @BeforeEach
    void needsRoot() throws IOException {
        Assumptions.assumeTrue(Disk.available() && Files.exists(Path.of("/dev/fuse")), "needs root, loop devices and /dev/fuse");
        folder = folder.toRealPath();
        vault = folder.resolve("vault");
        place = Files.createDirectories(folder.resolve("place"));
        runtime = folder.resolve("run");
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (runtime != null) {
            unmountAll();
            assertNothingIsLeft();
        }
    }

    /// {@return an image of an ext4 that was unmounted well, with one file}
    Path imageWithFile(long size) throws IOException {
        Path content = Files.createDirectories(folder.resolve("content"));
        Files.write(content.resolve("file"), Images.noise(1, 1_000_000));
        Path image = folder.resolve("files.img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(size);
        }
        Tools.run("mke2fs", "-q", "-t", "ext4", "-d", content, image).orElseGet(() -> Assumptions.abort("needs mke2fs")).expectSuccess();
        return image;
    }

    /// Whatever is mounted, and in use.
    void unmountAll() throws Exception {
        new Unmounter(new RuntimeFolder(runtime)).unmountAll(true, new ArrayList<>());
    }

    VarveProcess start(Object... arguments) throws IOException {
        return VarveProcess.start(List.of("env", "VARVE_RUNTIME=" + runtime, "VARVE_VAULT=" + vault), VarveProcess.QUICK, arguments);
    }

    Ended varve(Object... arguments) throws Exception {
        try (VarveProcess varve = start(arguments)) {
            return varve.end();
        }
    }

    /// Runs a command that is no mount in this process.
    String here(int expected, Object... arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        Stdio stdio = new Stdio(InputStream.nullInputStream(), stream, stream, 0, System::nanoTime);
        int code = Main.run(stdio, Stream.of(arguments).map(Object::toString).toArray(String[]::new)).number();
        String said = bytes.toString(StandardCharsets.UTF_8);
        assertEquals(expected, code, () -> List.of(arguments) + ": " + said);
        return said;
    }

    void archive(Path source) {
        here(0, "archive", source, "--volume", "tools", "--vault", vault);
    }

    List<String> unmount(Path from) throws Exception {
        return new Unmounter(new RuntimeFolder(runtime)).unmount(from, false);
    }

    void assertNothingIsLeft() throws Exception {
        assertFalse(Files.readString(Path.of("/proc/self/mountinfo")).contains(folder.toString()));
        assertEquals(List.of(), Loop.all().stream().filter(loop -> loop.backing().toString().contains(folder.toString())).toList());
        assertEquals(List.of(), new RuntimeFolder(runtime).homes());
        assertEquals(List.of(), processes());
    }

    /// {@return what of ours still runs}
    List<String> processes() throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            for (Path process : all.filter(path -> path.getFileName().toString().matches("\\d+")).toList()) {
                try {
                    String line = Files.readString(process.resolve("cmdline")).replace('\0', ' ');
                    if (line.contains("varve.archive.cli.Main") && line.contains(folder.toString())) {
                        found.add(line);
                    }
                } catch (IOException e) {
                    // gone
                }
            }
        }
        return found;
    }

    // ---- file systems

    /// A file system, how it is made, and what it says of a journal that was not replayed.
    enum FileSystem {
        EXT4(64 * MIB, "mkfs.ext4", "-q"),
        XFS(320 * MIB, "mkfs.xfs", "-q");

        final long size;
        final Object[] mkfs;

        FileSystem(long size, Object... mkfs) {
            this.size = size;
            this.mkfs = mkfs;
        }
    }

    /// Archives a disk that is in use, a day after the other, with what is in its journal alone.
    ///
    /// @return what was on it, with the journal
    List<Map<String, String>> archiveWithDirtyJournals(FileSystem kind, int count) throws Exception {
        Assumptions.assumeTrue(Tools.find(kind.mkfs[0].toString()).isPresent(), "needs " + kind.mkfs[0]);
        List<Map<String, String>> days = new ArrayList<>();
        Random random = new Random(1);
        try (Disk disk = Disk.format(folder.resolve("disk.img"), kind.size, folder.resolve("disk"), kind.mkfs)) {
            for (int day = 0; day < count; day++) {
                disk.mount("rw");
                for (int i = 0; i < 20; i++) {
                    Path file = Files.createDirectories(disk.folder().resolve("folder" + random.nextInt(5))).resolve("file" + random.nextInt(30));
                    Files.write(file, Images.noise(random.nextLong(), random.nextInt(200_000)));
                }
                Path late = Files.createDirectories(disk.folder().resolve("late"));
                disk.unmount();
                disk.mount("rw"); // what comes now may be in the journal alone
                Files.writeString(late.resolve("note" + day), "in the journal");
                Tools.run("sync", "-f", disk.folder()).orElseThrow().expectSuccess();
                archive(disk.device());
                days.add(FileTree.describe(disk.folder()));
                disk.unmount();
            }
        }
        assertJournalIsDirty(kind);
        return days;
    }

    /// the twin: without our options, the kernel wants to write
    private void assertJournalIsDirty(FileSystem kind) throws Exception {
        Path image = folder.resolve("restored.img");
        here(0, "restore", "tools", image, "--vault", vault);
        String output = Tools.run("mount", "-t", kind.name().toLowerCase(), "-o", "ro,loop", image, place)
                .map(ended -> ended.exitCode() + " " + ended.errors()).orElseThrow();
        assertNotEquals("0 ", output);
        Files.delete(image);
    }
}
