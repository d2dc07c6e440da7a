package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.Vault;
import varve.testdata.Disk;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;

/// The main job on real parts: a file system on a block device, changed through a mount day by day, archived from the
/// device. Every day comes back, and each claim is one that another program agrees with.
class RealFileSystemTest {

    private static final int DAYS = 4;
    private static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    private final Random random = new Random(1);
    private final List<Day> days = new ArrayList<>();
    private int files;

    /// @param files as they were: name, and everything about it in words
    /// @param device what b3sum says of the device
    /// @param frozen whether it was mounted then
    private record Day(Map<String, String> files, String device, boolean frozen) {}

    /// A file system and who checks it.
    enum FileSystem {
        EXT4(200 * MIB, List.of("mkfs.ext4", "-q"), List.of("fsck.ext4", "-fn")),
        XFS(320 * MIB, List.of("mkfs.xfs", "-q"), List.of("xfs_repair", "-n"));

        final long size;
        final List<String> mkfs;
        final List<String> check;

        FileSystem(long size, List<String> mkfs, List<String> check) {
            this.size = size;
            this.mkfs = mkfs;
            this.check = check;
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyDayComesBackAsItWas(FileSystem kind) throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        for (String tool : List.of(kind.mkfs.getFirst(), kind.check.getFirst(), "b3sum", "zstd", "fallocate", "fstrim", "fsfreeze")) {
            Assumptions.assumeTrue(Tools.find(tool).isPresent(), "needs " + tool);
        }
        try (Disk disk = Disk.format(folder.resolve("disk.img"), kind.size, folder.resolve("disk"), kind.mkfs.toArray())) {
            for (int day = 0; day <= DAYS; day++) {
                disk.mount("rw");
                change(disk.folder(), day);
                if (day == 2) {
                    recordFrozen(disk);
                } else {
                    Map<String, String> files = FileTree.describe(disk.folder());
                    disk.unmount();
                    archive(disk);
                    days.add(new Day(files, Tools.b3sum(disk.device()).orElseThrow(), false));
                }
            }
        }
        List<StoredArchive> archives = archives();
        assertEquals(DAYS + 1, archives.size());
        checkByOthers(archives);
        for (int day = 0; day <= DAYS; day++) {
            Path target = folder.resolve("restored.img");
            varve("restore", point(archives, day), target, "--vault", vault());
            assertEquals(days.get(day).device, Tools.b3sum(target).orElseThrow());
            check(kind, days.get(day), target);
            Files.delete(target);
        }
        restoreToADeviceThatIsNotBlank(kind, archives);
    }

    // ---- archiving

    private Path vault() {
        return folder.resolve("vault");
    }

    private void archive(Disk disk) {
        varve("archive", disk.device(), "--vault", vault(), "--volume", "tools");
    }

    private void recordFrozen(Disk disk) throws Exception {
        Map<String, String> files = FileTree.describe(disk.folder());
        Tools.run("fsfreeze", "--freeze", disk.folder()).orElseThrow().expectSuccess();
        try {
            archive(disk);
            // not through the page cache: there ext4 has initial bitmaps that it never writes
            String device = Tools.run("sh", "-c", "dd if=\"$0\" bs=1M iflag=direct status=none | b3sum --no-names", disk.device())
                    .orElseThrow().expectSuccess().text();
            days.add(new Day(files, device, true));
        } finally {
            Tools.run("fsfreeze", "--unfreeze", disk.folder()).orElseThrow().expectSuccess();
        }
        disk.unmount();
    }

    private static void varve(Object... arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        Stdio stdio = new Stdio(InputStream.nullInputStream(), stream, stream, 0, System::nanoTime);
        int code = Main.run(stdio, Stream.of(arguments).map(Object::toString).toArray(String[]::new)).number();
        assertEquals(0, code, () -> List.of(arguments) + ": " + bytes.toString(StandardCharsets.UTF_8));
    }

    private List<StoredArchive> archives() throws IOException {
        return Vault.open(vault()).volume("tools").read().sound().archives();
    }

    private static String point(List<StoredArchive> archives, int day) {
        return "tools@" + Manifest.text(archives.get(day).manifest().time());
    }

    // ---- checking

    private void checkByOthers(List<StoredArchive> archives) throws Exception {
        for (int day = 0; day <= DAYS; day++) {
            Manifest manifest = archives.get(day).manifest();
            Path data = archives.get(day).data();
            assertEquals(days.get(day).device, manifest.state().root().toString(), "b3sum of the device on day " + day);
            assertEquals(Tools.b3sum(data).orElseThrow(), manifest.file().hash().toString());
            Tools.run("zstd", "-tq", data).orElseThrow().expectSuccess();
        }
        String full = Tools.run("sh", "-c", "zstd -dcq \"$0\" | b3sum --no-names", archives.getFirst().data())
                .orElseThrow().expectSuccess().text();
        assertEquals(days.getFirst().device, full, "b3sum of what zstd makes of the full");
        long deltas = archives.stream().skip(1).mapToLong(archive -> archive.manifest().file().size()).sum();
        assertTrue(deltas < archives.getFirst().manifest().file().size(), () -> "deltas of " + deltas + " bytes");
    }

    private void check(FileSystem kind, Day day, Path image) throws Exception {
        if (day.frozen) {
            replayLog(image);
        }
        List<Object> check = new ArrayList<>(kind.check);
        check.add(image);
        Tools.Output output = Tools.run(check.toArray()).orElseThrow();
        assertEquals(0, output.exitCode(), () -> output.text() + output.errors());
        try (Disk disk = Disk.attach(image, folder.resolve("restored"))) {
            disk.mount("ro");
            assertEquals(day.files, FileTree.describe(disk.folder()));
            disk.unmount();
        }
    }

    /// what a file system that was mounted needs first, as after a power cut
    private void replayLog(Path image) throws IOException {
        try (Disk disk = Disk.attach(image, folder.resolve("restored"))) {
            disk.mount("rw,noatime");
            disk.unmount();
        }
    }

    private void restoreToADeviceThatIsNotBlank(FileSystem kind, List<StoredArchive> archives) throws Exception {
        Path image = folder.resolve("device.img");
        try (var out = Files.newOutputStream(image)) {
            for (long written = 0; written < kind.size; written += 8 * MIB) {
                out.write(Images.noise(written, (int) (8 * MIB)));
            }
        }
        try (LoopDevice device = LoopDevice.attach(image)) {
            varve("restore", point(archives, 3), device.path(), "--vault", vault(), "--overwrite", device.path());
            assertEquals(days.get(3).device, Tools.b3sum(device.path()).orElseThrow());
        }
        check(kind, days.get(3), image);
    }

    // ---- a day's work

    private void change(Path root, int day) throws Exception {
        if (day == 0) {
            for (int i = 0; i < 250; i++) {
                create(root);
            }
            Files.createSymbolicLink(root.resolve("link"), Path.of("folder1/nowhere"));
            Files.createLink(root.resolve("twin"), some(root));
            Files.write(root.resolve("large"), Images.noise(7, (int) (24 * MIB)));
            return;
        }
        for (int i = 0; i < 15; i++) {
            create(root);
        }
        for (int i = 0; i < 8; i++) {
            Files.write(some(root), Images.text(random.nextLong(), random.nextInt(200_000)), StandardOpenOption.APPEND);
            overwrite(some(root));
            Files.delete(some(root));
            Files.move(some(root), parent(root).resolve("renamed" + files++));
            chmod(some(root));
        }
        for (int i = 0; i < 3; i++) {
            truncate(some(root));
            punch(some(root));
        }
        punch(root.resolve("large"));
        overwrite(root.resolve("large"));
        Tools.run("fallocate", "--length", "3M", root.resolve("allocated" + day)).orElseThrow().expectSuccess();
        Tools.run("sync", "-f", root).orElseThrow().expectSuccess();
        if (day % 2 == 1) {
            Tools.run("fstrim", root).orElseThrow().expectSuccess();
        }
    }

    private void create(Path root) throws IOException {
        int size = random.nextInt(1 << (4 + random.nextInt(17)));
        byte[] content = random.nextInt(3) == 0 ? Images.noise(random.nextLong(), size) : Images.text(random.nextLong(), size);
        Files.write(parent(root).resolve("file" + files++), content);
    }

    private Path parent(Path root) throws IOException {
        return Files.createDirectories(root.resolve("folder" + random.nextInt(9) + (random.nextInt(3) == 0 ? "/inner" : "")));
    }

    /// {@return one of the files, by chance}
    private Path some(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            List<Path> candidates = all
                    .filter(path -> path.getFileName().toString().matches("(file|renamed).*")
                            && Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
                    .sorted()
                    .toList();
            return candidates.get(random.nextInt(candidates.size()));
        }
    }

    private void overwrite(Path file) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            for (int i = 0; i < 5 && access.length() > 0; i++) {
                access.seek(random.nextLong(access.length()));
                access.write(Images.noise(random.nextLong(), 1 + random.nextInt(20_000)));
            }
        }
    }

    private void truncate(Path file) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(random.nextLong(access.length() * 2 + 1));
        }
    }

    private void punch(Path file) throws IOException {
        long size = Files.size(file);
        if (size > 2) {
            long offset = random.nextLong(size / 2);
            Tools.run("fallocate", "--punch-hole", "--offset", offset, "--length", size / 3 + 1, file).orElseThrow().expectSuccess();
        }
    }

    private void chmod(Path file) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        PosixFilePermission one = PosixFilePermission.values()[random.nextInt(9)];
        if (!permissions.remove(one)) {
            permissions.add(one);
        }
        Files.setPosixFilePermissions(file, permissions);
    }
}
