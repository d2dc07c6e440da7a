package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.Geometry;
import varve.archive.cli.Captured;
import varve.archive.file.StoredArchive;
import varve.testdata.Disk;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A vault that cannot be written: one clear error, the vault as it was, and the next run does better.
class FailingVaultTest {

    private static final int MIB = 1 << 20;
    private static final int EVERY = Integer.getInteger("varve.test.failEvery", 8);

    @TempDir
    Path folder;

    private Path image;
    private VolumeSubject volume;

    @BeforeEach
    void make() {
        image = folder.resolve("device.img");
        volume = new VolumeSubject(folder.resolve("vault"), "tools");
    }

    private byte[] write(byte[] device) throws IOException {
        Files.deleteIfExists(image);
        Images.write(device, image);
        return device;
    }

    private Ended run() {
        return Captured.varve("archive", image, "--vault", volume.vault(), "--volume", "tools");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> content = Files.walk(volume.vault())) {
            return content.map(path -> volume.vault().relativize(path).toString())
                    .filter(path -> !path.startsWith("lost+found") && !path.endsWith("/.varve-lock-holder"))
                    .sorted().toList();
        }
    }

    // ---- no space

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs", "tmpfs"})
    void aFullVaultIsOneClearErrorAndGetsItsSpaceBack(String kind) throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        Path place = folder.resolve("disk");
        if (kind.equals("tmpfs")) {
            Files.createDirectories(place);
            Tools.run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place).orElseThrow().expectSuccess();
            try {
                fullVault(place);
            } finally {
                Tools.run("umount", "--lazy", place).orElseThrow().expectSuccess();
            }
            return;
        }
        Assumptions.assumeTrue(Tools.find("mkfs." + kind).isPresent(), "needs mkfs." + kind);
        try (Disk disk = Disk.format(folder.resolve("disk.img"), (kind.equals("xfs") ? 300L : 64L) * MIB, place, "mkfs." + kind, "-q")) {
            disk.mount("rw");
            fullVault(place);
        }
    }

    private void fullVault(Path place) throws Exception {
        volume = new VolumeSubject(place.resolve("vault"), "tools");
        byte[] first = write(Images.noise(1, 8 * MIB));
        run().expect(0);
        volume.look(first);
        byte[] second = write(Images.noise(2, 20 * MIB));
        Path filler = place.resolve("filler");
        fill(filler, place, 12L * MIB);
        List<String> names = names();
        long before = free(place);

        String error = run().expect(7).error();

        assertTrue(error.matches("varve: .*/vault/tools/\\.varve-stage\\.[a-z]+: cannot write at [0-9]+: No space left on device"), error);
        assertEquals(names, names());
        assertTrue(free(place) >= before - 128 * 1024, () -> "space is not given back: " + before + " bytes were free");
        volume.lookAtAll();

        Files.delete(filler);
        run().expect(0);
        assertEquals(1, volume.look(second).size());
    }

    /// leaves about this much room
    private static void fill(Path filler, Path place, long room) throws IOException {
        Tools.run("fallocate", "--length", free(place) - room, filler).orElseThrow().expectSuccess();
    }

    private static long free(Path place) throws IOException {
        return Files.getFileStore(place).getUsableSpace();
    }

    @Test
    void aVaultWithNoRoomAtAllIsNotMade() throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        write(Images.noise(1, MIB));
        try (Disk disk = Disk.format(folder.resolve("disk.img"), 8L * MIB, folder.resolve("disk"), "mkfs.ext4", "-q", "-m", "0")) {
            disk.mount("rw");
            volume = new VolumeSubject(disk.folder().resolve("vault"), "tools");
            Files.createDirectory(volume.vault());
            fill(disk.folder().resolve("filler"), disk.folder(), 0);
            assertTrue(run().expect(7).error().endsWith(": No space left on device"));
            Files.delete(disk.folder().resolve("filler"));
            run().expect(0);
        }
    }

    // ---- every call that can fail

    /// Lets the nth call of a kind fail, for every eighth n of the frequent ones, or, by `-Dvarve.test.failEvery=1`, for each.
    @ParameterizedTest
    @CsvSource({"pwrite64, ENOSPC", "fsync, EIO", "ftruncate, EIO", "rename, EIO", "mkdir, ENOSPC", "link, EPERM", "unlink, EIO"})
    void anyCallThatFailsIsOneClearErrorAndTheNextRunDoesBetter(String call, String errno) throws Exception {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
        byte[] device = write(Images.mixed(1, 3 * MIB));
        Path trace = folder.resolve("trace");
        int failures = 0;
        int step = call.equals("fsync") || call.equals("pwrite64") || call.equals("rename") ? EVERY : 1;
        for (int n = 1; ; n += step) {
            volume = new VolumeSubject(folder.resolve(call + n), "tools");
            List<String> strace = List.of("strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-o", trace.toString(),
                    "-e", "trace=" + call, "-e", "inject=" + call + ":error=" + errno + ":when=" + n);
            Ended end;
            try (VarveProcess varve = VarveProcess.start(
                    strace, VarveProcess.QUICK, "archive", image, "--vault", volume.vault(), "--volume", "tools")) {
                end = varve.end();
            }
            if (!Files.readString(trace).contains("(INJECTED)")) {
                end.expect(0);
                break;
            }
            failures++;
            check(end, call + " " + n);
            if (Files.exists(volume.vault())) {
                volume.look(device);
            }
            run().expect(0);
            assertTrue(volume.look(device, device).size() >= 1);
            assertEquals(List.of(), names().stream().filter(name -> name.contains(".varve-stage")).toList());
        }
        assertTrue(failures > 0);
    }

    private void check(Ended end, String what) throws IOException {
        if (end.code() == 0) {
            return; // there was another way
        }
        assertEquals(7, end.code(), () -> what + ": " + end);
        String error = end.error();
        assertTrue(error.contains(volume.vault().toString()) || error.contains(folder.toString()), () -> what + " names no file: " + error);
        boolean decided = Files.exists(volume.stage("json"));
        boolean recorded = Files.exists(volume.folder()) && !volume.archives().isEmpty();
        if (!decided && !recorded && Files.exists(volume.stage("data"))) {
            throw new AssertionError(what + ": the stage takes up space: " + end);
        }
    }

    // ---- read-only

    @Test
    void aReadOnlyVaultIsOneClearError() throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        byte[] first = write(Images.mixed(1, 2 * MIB));
        try (Disk disk = Disk.format(folder.resolve("disk.img"), 32L * MIB, folder.resolve("disk"), "mkfs.ext4", "-q")) {
            disk.mount("rw");
            volume = new VolumeSubject(disk.folder().resolve("vault"), "tools");
            run().expect(0);
            volume.look(first);
            write(Images.mixed(2, 2 * MIB));
            List<String> names = names();
            disk.remount("ro");
            assertTrue(run().expect(7).error().matches("varve: .*/vault/tools: its file system is mounted read-only, .*"));
            assertTrue(Captured.varve("archive", image, "--vault", volume.vault(), "--volume", "other").expect(7).error()
                    .matches("varve: .*/vault/other: its file system is mounted read-only, .*"));
            assertTrue(Captured.varve("archive", image, "--vault", disk.folder().resolve("new")).expect(7).error()
                    .matches("varve: .*/new: Read-only file system"));
            Captured.varve("archive", image, "--vault", volume.vault(), "--volume", "tools", "--dry-run").expect(0);
            assertEquals(names, names());
            volume.lookAtAll();
        }
    }

    // ---- a bad medium

    /// What of the parent cannot be read.
    @ParameterizedTest
    @ValueSource(strings = {"index", "zst", "index and zst"})
    void aParentThatCannotBeReadIsMadeUpForOrNamed(String bad) throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        Assumptions.assumeTrue(Tools.find("debugfs").isPresent(), "needs debugfs");
        byte[] device = write(Images.noise(1, 4 * MIB));
        run().expect(0);
        volume.look(device);
        StoredArchive parent = volume.archives().getFirst();
        List<Path> files = Stream.of(parent.index(), parent.data()).filter(file -> bad.contains(extension(file))).toList();
        byte[] changed = device.clone();
        changed[3 * MIB] ^= 1;
        write(changed);
        try (Disk disk = breakOff(files)) {
            for (Path file : files) {
                Tools.run("mount", "--bind", disk.folder().resolve(file.getFileName()), file).orElseThrow().expectSuccess();
            }
            try {
                Ended end = run();
                switch (bad) {
                    case "index" -> end.expect(0);
                    case "zst" -> {
                        end.expect(0);
                        assertTrue(end.err().contains(
                                "warning: the parent's data cannot be read: changed chunks are stored whole"), end::err);
                        assertEquals(1 << Geometry.DEFAULT_CHUNK_LOG, volume.archives().getLast().manifest().changedSize());
                    }
                    default -> assertTrue(end.expect(7).error().contains(": cannot read at "), end::err);
                }
            } finally {
                for (Path file : files) {
                    Tools.run("umount", file).orElseThrow().expectSuccess();
                }
            }
            assertEquals(bad.equals("index and zst") ? 0 : 1, volume.look(changed).size());
        }
    }

    /// {@return a disk with copies of files, of whose content nothing can be read any more}
    private Disk breakOff(List<Path> files) throws IOException {
        Path backing = folder.resolve("disk.img");
        Disk disk = Disk.format(backing, 32L * MIB, folder.resolve("disk"), "mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal");
        disk.mount("rw");
        for (Path file : files) {
            Files.copy(file, disk.folder().resolve(file.getFileName()));
        }
        disk.unmount(); // nothing stays in the page cache
        long first = Long.MAX_VALUE;
        for (Path file : files) {
            String blocks = Tools.run("debugfs", "-R", "blocks " + file.getFileName(), disk.device()).orElseThrow().expectSuccess().text();
            first = Math.min(first, Long.parseLong(blocks.split(" ")[0]));
        }
        try (FileChannel channel = FileChannel.open(backing, StandardOpenOption.WRITE)) {
            channel.truncate(first * 4096);
        }
        disk.mount("ro");
        return disk;
    }

    private static String extension(Path file) {
        return file.toString().substring(file.toString().lastIndexOf('.') + 1);
    }

    @Test
    void loopDevicesAreNotLeftBehind() throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        assertFalse(Tools.run("losetup", "--list", "--noheadings").orElseThrow().text().contains(folder.toString()));
    }
}
