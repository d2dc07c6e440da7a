package varve.mounthelper.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import varve.mounthelper.FileTree;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// `varve mount` and `varve umount` on real file systems, as an operator runs them.
final class MountTest extends RealMounts {

    private static final int DAYS = Integer.getInteger("varve.test.mount.days", 2);

    // ---- file systems

    @ParameterizedTest
    @EnumSource
    void everyDayIsMountedAsItWasAlthoughItsJournalIsDirty(FileSystem kind) throws Exception {
        List<Map<String, String>> days = archiveWithDirtyJournals(kind, DAYS);
        for (int day = 0; day < DAYS; day++) {
            Ended ended = varve("mount", "tools@-" + (DAYS - 1 - day), place).expect(0);
            assertTrue(ended.err().contains(kind.name().toLowerCase() + ", the whole device on " + place + ", read-only; when done: varve umount " + place), ended.err());
            assertEquals(settled(days.get(day)), settled(FileTree.describe(place)));
            assertTrue(Tools.run("touch", place.resolve("new")).orElseThrow().errors().contains("Read-only"));
            String loop = MountPoint.at(place).orElseThrow().source();
            assertEquals("1", Files.readString(Path.of("/sys/block", Path.of(loop).getFileName().toString(), "ro")).strip());
            assertEquals(List.of(), unmount(place));
            assertNothingIsLeft();
        }
    }

    /// what was on the disk before the journal got dirty
    private static Map<String, String> settled(Map<String, String> tree) {
        Map<String, String> all = new TreeMap<>(tree);
        all.keySet().removeIf(name -> name.startsWith("late") || name.startsWith("lost+found"));
        return all;
    }

    /// A disk with a GPT.
    private Path disk(String... partitions) throws Exception {
        Path disk = folder.resolve("parts.img");
        Files.deleteIfExists(disk);
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(64 * MIB);
        }
        StringBuilder script = new StringBuilder("label: gpt\n");
        for (int i = 0; i < partitions.length; i++) {
            script.append("start=" + (1 + 20 * i) + "MiB, size=16MiB\n");
        }
        Tools.runWith(script.toString().getBytes(StandardCharsets.UTF_8), "sfdisk", "-q", disk)
                .orElseGet(() -> Assumptions.abort("needs sfdisk")).expectSuccess();
        for (int i = 0; i < partitions.length; i++) {
            Path part = folder.resolve("part.img");
            Files.write(part, new byte[(int) (16 * MIB)]);
            Path content = Files.createDirectories(folder.resolve("content" + i));
            Files.writeString(content.resolve("which"), "partition " + (i + 1));
            switch (partitions[i]) {
                case "ext4" -> Tools.run("mke2fs", "-q", "-t", "ext4", "-d", content, part).orElseThrow().expectSuccess();
                default -> Tools.run("mkswap", "-q", part).orElseThrow().expectSuccess();
            }
            Tools.run("dd", "if=" + part, "of=" + disk, "bs=1M", "seek=" + (1 + 20 * i), "conv=notrunc", "status=none").orElseThrow().expectSuccess();
        }
        return disk;
    }

    @Test
    void thePartitionWithTheFileSystemIsMounted() throws Exception {
        archive(disk("swap", "ext4"));
        assertTrue(varve("mount", "tools", place).expect(0).err().contains("ext4, partition 2 on "));
        assertEquals("partition 2", Files.readString(place.resolve("which")));
        String name = Path.of(MountPoint.at(place).orElseThrow().source()).getFileName().toString();
        assertEquals(16 * MIB / 512, Long.parseLong(Files.readString(Path.of("/sys/block", name, "size")).strip()));
        unmount(place);
    }

    @Test
    void ofTwoFileSystemsOneIsNamed() throws Exception {
        archive(disk("ext4", "ext4"));
        Ended ended = varve("mount", "tools", place).expect(9);
        assertTrue(ended.error().contains("several file systems: say which one, with --partition"), ended::err);
        assertNothingIsLeft();
        varve("mount", "tools", place, "--partition", 1).expect(0);
        assertEquals("partition 1", Files.readString(place.resolve("which")));
        assertTrue(here(9, "mount", "tools", place, "--partition", 2, "--vault", vault).contains("something is mounted there already"));
        Path second = Files.createDirectories(folder.resolve("second place"));
        varve("mount", "tools", second, "--partition", 2).expect(0);
        assertEquals("partition 2", Files.readString(second.resolve("which")));
        String list = varve("mount").expect(0).out();
        assertTrue(list.contains(place + " ") && list.contains("ext4, partition 2") && list.contains("process "), list);
        unmount(place);
        unmount(second);
        assertNothingIsLeft();
    }

    @Test
    void whatIsNoFileSystemIsToldAndNothingIsLeft() throws Exception {
        archive(disk("swap"));
        assertTrue(varve("mount", "tools", place).expect(9).error().contains("partition 1 holds swap; there are no files in swap space"));
        assertNothingIsLeft();
        assertTrue(varve("mount", "tools", place, "--type", "ext4").expect(7).error().contains("wrong fs type"));
        assertNothingIsLeft();
        here(10, "mount", "tools@2020-01-01", place, "--vault", vault);
        here(10, "mount", "tools", folder.resolve("nowhere"), "--vault", vault);
        here(10, "umount", place);
    }

    // ---- trouble

    /// A file system of some files that no chunk is shared by, mounted.
    private List<Path> files() throws Exception {
        Path content = Files.createDirectories(folder.resolve("content"));
        for (int i = 0; i < 8; i++) {
            Files.write(content.resolve("file" + i), Images.noise(i, 2_000_000));
        }
        Path image = folder.resolve("files.img");
        Files.write(image, new byte[(int) (32 * MIB)]);
        Tools.run("mke2fs", "-q", "-t", "ext4", "-d", content, image).orElseGet(() -> Assumptions.abort("needs mke2fs")).expectSuccess();
        archive(image);
        varve("mount", "tools", place).expect(0);
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            files.add(place.resolve("file" + i));
        }
        return files;
    }

    private static boolean same(Path file, int number) throws IOException {
        Tools.Output output = Tools.run("cat", file).orElseThrow();
        if (output.exitCode() != 0) {
            assertTrue(output.errors().contains("Input/output error"), output::errors);
            return false;
        }
        assertEquals(-1, Arrays.mismatch(Images.noise(number, 2_000_000), output.bytes()));
        return true;
    }

    @Test
    void aFlippedByteIsAnErrorOfOneFileAndIsToldInTheEnd() throws Exception {
        List<Path> files = files();
        Path data;
        try (Stream<Path> all = Files.list(vault.resolve("tools"))) {
            data = all.filter(path -> path.toString().endsWith(".zst")).findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(data);
        int at = bytes.length / 2;
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[at] ^ 1)}), at);
        }
        int good = 0;
        for (int i = 0; i < files.size(); i++) {
            good += same(files.get(i), i) ? 1 : 0;
        }
        assertTrue(good == 6 || good == 7, good + " of 8");
        Ended ended = varve("umount", place).expect(0);
        assertTrue(ended.err().contains("cannot be read at ") && ended.err().contains("full.zst: chunk "), ended.err());
        assertNothingIsLeft();
    }

    @Test
    void aKilledServerIsAnErrorAndIsCleanedUp() throws Exception {
        List<Path> files = files();
        assertTrue(same(files.getFirst(), 0));
        Mounted mounted = new RuntimeFolder(runtime).all().getFirst();
        ProcessHandle server = ProcessHandle.of(mounted.process()).orElseThrow();
        server.destroyForcibly();
        server.onExit().join();
        assertTrue(Tools.run("cat", files.getLast()).orElseThrow().errors().contains("Input/output error"));
        assertTrue(varve("mount").expect(0).out().contains("nobody: varve umount " + place));
        varve("umount", "--all").expect(0);
        assertNothingIsLeft();
    }

    @Test
    void whoeverUsesItIsNamedAndItStays() throws Exception {
        List<Path> files = files();
        Process user = new ProcessBuilder("sleep", "600").directory(place.toFile()).start();
        Process reader = new ProcessBuilder("sleep", "600").redirectInput(files.get(1).toFile()).start();
        try {
            String refusal = varve("umount", place).expect(9).error();
            assertTrue(refusal.contains("process " + user.pid() + " (sleep), whose folder it is"), refusal);
            assertTrue(refusal.contains("process " + reader.pid() + " (sleep), has a file open"), refusal);
            assertTrue(same(files.getFirst(), 0));
        } finally {
            user.destroyForcibly().waitFor();
            reader.destroyForcibly().waitFor();
        }
        unmount(place);
        assertNothingIsLeft();
    }

    @Test
    void whoeverMountsMayBeKilledAtAnyMoment() throws Exception {
        files();
        unmount(place);
        RuntimeFolder mounts = new RuntimeFolder(runtime);
        List<VarveProcess.Condition> moments = List.of(
                () -> !mounts.homes().isEmpty(),
                () -> mounts.all().stream().anyMatch(mounted -> mounted.process() != 0),
                () -> mounts.all().stream().anyMatch(Mounted::served) && Files.readString(Path.of("/proc/self/mountinfo")).contains(runtime.toString()),
                () -> MountPoint.at(place).isPresent());
        for (VarveProcess.Condition moment : moments) {
            try (VarveProcess varve = start("mount", "tools", place)) {
                varve.await(moment);
                varve.kill();
            }
            List<IOException> problems = new ArrayList<>();
            new Unmounter(mounts).unmountAll(false, problems);
            assertEquals(List.of(), problems);
            for (int i = 0; !processes().isEmpty() && i < 3000; i++) {
                Thread.sleep(10); // a server that had not begun finds that its folder is gone
            }
            assertNothingIsLeft();
        }
        try (VarveProcess varve = start("mount", "tools", place)) {
            varve.await(() -> mounts.all().stream().anyMatch(mounted -> mounted.process() != 0));
            Ended ended = varve.terminate();
            if (ended.code() == 0) {
                unmount(place); // it was faster
            }
            assertNothingIsLeft();
        }
    }

    /// As another user, who can read everything all the same, since the program may lie in the folder of root.
    @Test
    void whoeverIsNotRootIsToldWhatElseThereIs() throws Exception {
        archive(Files.write(folder.resolve("some.img"), Images.mixed(1, 3_000_000)));
        Tools.run("chmod", "-R", "a+rX", folder).orElseThrow().expectSuccess();
        List<String> user = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
                "env", "VARVE_RUNTIME=" + folder.resolve("elsewhere"), "VARVE_VAULT=" + vault);
        for (List<Object> command : List.<List<Object>>of(
                List.of("mount", "tools", place), List.of("mount", "--images", place), List.of("mount", "--images", place, "--foreground"))) {
            try (VarveProcess varve = VarveProcess.start(user, VarveProcess.QUICK, command.toArray())) {
                String error = varve.end().expect(9).error();
                assertTrue(error.contains(place + ": only root can mount; varve restore brings a point back to a file, varve serve needs no root either"), error);
            }
        }
        assertFalse(Files.exists(folder.resolve("elsewhere")));
    }

    // ---- images

    @Test
    void imagesAreMountedInTheBackgroundAndUnmounted() throws Exception {
        Path image = Files.write(folder.resolve("some.img"), Images.mixed(1, 3_000_000));
        archive(image);
        assertTrue(varve("mount", "--images", place).expect(0).err().contains("all points: images on " + place));
        Path file = Path.of(Tools.run("find", place, "-name", "*.img").orElseThrow().text());
        assertTrue(file.startsWith(place.resolve("tools")));
        Tools.run("cmp", image, file).orElseThrow().expectSuccess();
        String json = varve("mount", "--json").expect(0).out();
        assertTrue(json.contains("\"folder\": \"" + place + "\"") && json.contains("\"served\": true"), json);
        unmount(place);
        assertNothingIsLeft();
    }

    @Test
    void aServerThatCannotBeginSaysWhy() throws Exception {
        Path image = Files.write(folder.resolve("some.img"), Images.mixed(1, 3_000_000));
        archive(image);
        try (Stream<Path> all = Files.list(vault.resolve("tools"))) {
            Path index = all.filter(path -> path.toString().endsWith(".index")).findFirst().orElseThrow();
            byte[] bytes = Files.readAllBytes(index);
            bytes[bytes.length / 2] ^= 1;
            Files.write(index, bytes);
        }
        try (Stream<Path> all = Files.list(vault.resolve("tools"))) {
            Path data = all.filter(path -> path.toString().endsWith(".zst")).findFirst().orElseThrow();
            Files.write(data, new byte[100]);
        }
        Ended ended = varve("mount", "--images", place, "tools");
        assertTrue(ended.code() == 4 && ended.err().contains("F0"), ended.code() + ended.err());
        assertNothingIsLeft();
    }

    @Test
    void aFolderOrOptionsThatMakeNoSenseAreRefused() throws Exception {
        for (List<Object> wrong : List.<List<Object>>of(
                List.of("mount", "tools"), List.of("mount", "tools", place, place), List.of("mount", "tools", place, "--foreground"),
                List.of("mount", "--images", place, "--partition", "1"), List.of("umount"), List.of("umount", "--all", place))) {
            here(2, wrong.toArray());
        }
        assertNothingIsLeft();
    }
}
