package varve.verify.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.cli.Stdio;
import varve.testdata.Damage;
import varve.testdata.Disk;
import varve.testdata.Histories;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.TestFiles;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// `varve heal` where all goes wrong: it dies, there is no room, nothing may be written, two run at once, what it is told to heal from is
/// not what it was.
final class HealVerbTest {

    private static final int MIB = 1 << 20;
    private static final int KILLS = Integer.getInteger("varve.test.heal.kills", 4);

    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Path image;
    private Path vault;
    private Path other;

    @BeforeEach
    void image() throws IOException {
        image = Files.write(folder.resolve("tools.img"), Images.noise(1, 5 * MIB));
        vault = folder.resolve("vault");
        other = folder.resolve("other");
    }

    private ExitCode run(Object... words) {
        out.reset();
        err.reset();
        return Main.run(new Stdio(InputStream.nullInputStream(), new PrintStream(out), new PrintStream(err), 0, System::nanoTime),
                Stream.of(words).map(Object::toString).toArray(String[]::new));
    }

    private void expect(ExitCode code, Object... words) {
        assertEquals(code, run(words), () -> List.of(words) + ": " + said());
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String said() {
        return out() + err;
    }

    private String error() {
        assertEquals(1, err.toString().lines().count(), this::said);
        assertTrue(err.toString().startsWith("varve: "), this::said);
        return err.toString();
    }

    /// a full, a delta of more than a group, and both again in another vault
    private void twoVaults(Object... archiveOptions) throws IOException {
        for (int day = 0; day < 2; day++) {
            byte[] device = Files.readAllBytes(image);
            System.arraycopy(Images.noise(day + 2, 2 * MIB), 0, device, MIB, 2 * MIB);
            Files.write(image, device);
            expect(ExitCode.OK, Stream.concat(Stream.of("archive", image, "--vault", vault, "--volume", "tools", "--chunk-size", "64K"),
                    Stream.of(archiveOptions)).toArray());
            archiveOptions = new Object[0];
        }
        expect(ExitCode.OK, "vault", "init", other);
        expect(ExitCode.OK, "copy", "tools", "--vault", vault, "--to", other);
    }

    private Path file(Path vault, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            return files.filter(file -> file.toString().endsWith(suffix)).findFirst().orElseThrow();
        }
    }

    /// something in each kind of file
    private void damage() throws IOException {
        Damage.flip(1_200_000, 1).inflictOn(file(vault, ".full.zst"));
        Damage.truncate(MIB + 5).inflictOn(file(vault, ".delta.zst"));
        Damage.flip(100, 1).inflictOn(file(vault, ".full.tree"));
        Damage.truncate(1000).inflictOn(file(vault, ".full.index"));
        Damage.flip(300, 1).inflictOn(file(vault, ".delta.json"));
        Files.delete(file(vault, ".delta.tree"));
    }

    /// {@return the files of the volume that are for good}
    private Map<String, byte[]> files() throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(vault.resolve("tools"))) {
            for (Path file : all.filter(file -> file.getFileName().toString().startsWith("tools.")).toList()) {
                files.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static void assertSame(Map<String, byte[]> expected, Map<String, byte[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((file, bytes) -> assertArrayEquals(bytes, found.get(file), file));
    }

    /// {@return all that a listing shows of a folder: also when files were written last, and which they are}
    private static List<String> listing(Path... folders) throws IOException {
        TreeSet<String> lines = new TreeSet<>();
        for (Path folder : folders) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path path : all.filter(path -> !path.endsWith("lost+found")).toList()) {
                    PosixFileAttributes attributes = Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                    lines.add(path + " " + attributes.fileKey() + " " + attributes.size() + " " + attributes.lastModifiedTime() + " " + attributes.permissions()
                            + " " + Files.getAttribute(path, "unix:ctime", LinkOption.NOFOLLOW_LINKS));
                }
            }
        }
        return List.copyOf(lines);
    }

    private List<String> stages() throws IOException {
        try (Stream<Path> all = Files.list(vault.resolve("tools"))) {
            return all.map(file -> file.getFileName().toString()).filter(name -> name.startsWith(".varve-stage")).toList();
        }
    }

    private Object[] heal(Object... more) {
        return Stream.concat(Stream.of("heal", "tools", "--vault", vault, "--quiet"), Stream.of(more)).toArray();
    }

    // ---- it dies

    @Test
    void aRunThatIsKilledLeavesWholeFilesAndTheNextOneFinishes() throws Exception {
        twoVaults();
        Map<String, byte[]> good = files();
        damage();
        Map<String, byte[]> bad = files();
        List<String> elsewhere = listing(other);
        int killed = 0;
        int healed = 0;
        for (long seed : Histories.seeds(KILLS)) {
            Random random = new Random(seed);
            int moment = random.nextInt(7);
            try (VarveProcess varve = VarveProcess.start(heal("--from", other))) {
                varve.await(() -> !stages().isEmpty() || !same(bad, files()));
                varve.await(() -> differences(good) <= moment);
                LockSupport.parkNanos(random.nextLong(5_000_000));
                killed += varve.kill().killed() ? 1 : 0;
            }
            Map<String, byte[]> now = files();
            for (String name : now.keySet()) {
                boolean old = bad.containsKey(name) && Arrays.equals(bad.get(name), now.get(name));
                assertTrue(old || Arrays.equals(good.get(name), now.get(name)), () -> name + " is neither the old file nor the new one, seed " + seed);
            }
            assertTrue(now.keySet().containsAll(bad.keySet()), () -> "a file is gone, seed " + seed);
            healed += good.size() - differences(good);

            expect(ExitCode.OK, heal("--from", other));
            assertSame(good, files());
            assertEquals(List.of(), stages());
            expect(ExitCode.OK, "verify", "tools", "--vault", vault, "--depth", "stored");
            damage();
        }
        System.out.println("HealVerbTest: " + killed + " of " + KILLS + " killed, with " + healed + " good files of " + KILLS * good.size());
        assertEquals(elsewhere, listing(other));
    }

    private static boolean same(Map<String, byte[]> expected, Map<String, byte[]> found) {
        return expected.keySet().equals(found.keySet()) && expected.entrySet().stream().allMatch(file -> Arrays.equals(file.getValue(), found.get(file.getKey())));
    }

    /// how many files are not as they were written
    private int differences(Map<String, byte[]> good) throws IOException {
        Map<String, byte[]> now = files();
        return (int) good.entrySet().stream().filter(file -> !Arrays.equals(file.getValue(), now.get(file.getKey()))).count();
    }

    // ---- it cannot write

    private Disk disk() throws IOException {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        Assumptions.assumeTrue(Tools.find("mkfs.ext4").isPresent(), "needs mkfs.ext4");
        Disk disk = Disk.format(folder.resolve("disk.img"), 24L * MIB, folder.resolve("disk"), "mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal");
        disk.mount("rw");
        return disk;
    }

    @Test
    void aFullDiskIsToldOfAndGetsItsRoomBack() throws Exception {
        try (Disk disk = disk()) {
            vault = disk.folder().resolve("vault");
            twoVaults();
            Map<String, byte[]> good = files();
            Damage.flip(1_200_000, 1).inflictOn(file(vault, ".full.zst"));
            Map<String, byte[]> bad = files();
            Path filler = disk.folder().resolve("filler");
            long room = 2L * MIB;
            Tools.run("fallocate", "--length", Files.getFileStore(vault).getUsableSpace() - room, filler).orElseThrow().expectSuccess();
            long before = Files.getFileStore(vault).getUsableSpace();

            expect(ExitCode.FINDINGS, heal("--from", other));
            assertEquals(1, out().lines().filter(line -> line.contains("No space left on device")).count(), this::said);
            assertTrue(out().contains(file(vault, ".full.zst").getFileName() + ": "), this::said);
            assertSame(bad, files());
            assertEquals(List.of(), stages());
            assertTrue(Files.getFileStore(vault).getUsableSpace() >= before - 64 * 1024, "room that is not given back");

            Files.delete(filler);
            expect(ExitCode.OK, heal("--from", other));
            assertSame(good, files());
        }
    }

    @Test
    void aVaultThatCannotBeWrittenIsOneClearErrorButCanBeLookedAt() throws Exception {
        try (Disk disk = disk()) {
            vault = disk.folder().resolve("vault");
            twoVaults();
            damage();
            disk.remount("ro");
            List<String> before = listing(vault, other);
            expect(ExitCode.IO, heal("--from", other));
            assertTrue(error().matches("varve: .*/vault/tools: its file system is mounted read-only, .*\n"), this::said);
            expect(ExitCode.OK, heal("--from", other, "--dry-run"));
            assertEquals(6, out().lines().filter(line -> line.contains(": can be healed")).count(), this::said);
            assertEquals(before, listing(vault, other));
        }
    }

    @Test
    void aDryRunChangesNothingAnywhere() throws Exception {
        twoVaults();
        Map<String, byte[]> good = files();
        damage();
        Damage.flip(10, 1).inflictOn(file(other, ".delta.tree"));
        Damage.flip(1_200_000, 1).inflictOn(file(other, ".delta.zst")); // found damaged there, too
        List<String> before = listing(folder);
        expect(ExitCode.FINDINGS, heal("--from", other, "--dry-run"));
        assertEquals(before, listing(folder));
        assertTrue(out().contains("; nothing was written; "), this::said);
        expect(ExitCode.FINDINGS, heal("--from", other));
        assertEquals(1, differences(good), "the delta's data, of which one group is damaged in both");
    }

    // ---- others are at work

    @Test
    void ofTwoAtOnceOneWaitsOrIsToldWhoIsAtWork() throws Exception {
        twoVaults();
        Map<String, byte[]> good = files();
        damage();
        try (VarveProcess first = VarveProcess.start(heal("--from", other))) {
            assertTrue(first.await(() -> Files.exists(vault.resolve("tools/.varve-lock-holder"))));
            first.suspend();
            expect(ExitCode.LOCKED, heal("--from", other));
            assertTrue(error().contains("locked by process " + first.pid() + ", varve heal tools, since "), this::said);
            expect(ExitCode.OK, heal("--from", other, "--dry-run")); // takes no lock
            try (VarveProcess second = VarveProcess.start(heal("--from", other, "--lock-wait", "300"))) {
                first.resume();
                first.end().expect(0);
                Ended end = second.end().expect(0);
                assertTrue(end.out().contains("nothing is damaged"), end::toString);
            }
        }
        assertSame(good, files());
    }

    // ---- what it is told to heal from

    @Test
    void aFolderThatIsNoVaultAndTheVaultItselfAreRefused() throws Exception {
        twoVaults();
        damage();
        Map<String, byte[]> bad = files();
        expect(ExitCode.NOT_FOUND, heal("--from", folder.resolve("none")));
        assertTrue(error().contains(folder.resolve("none").toString()), this::said);
        expect(ExitCode.NOT_FOUND, heal("--from", Files.createDirectory(folder.resolve("empty"))));
        assertTrue(error().contains("is the disk mounted?"), this::said);
        expect(ExitCode.NOT_FOUND, heal("--from", vault.resolve("tools")));
        error();
        assertFalse(run(heal("--from", image)) == ExitCode.OK);
        error();
        expect(ExitCode.REFUSED, heal("--from", vault));
        assertTrue(error().contains("is the vault itself"), this::said);
        expect(ExitCode.REFUSED, heal("--from", other, "--from", Files.createSymbolicLink(folder.resolve("link"), vault)));
        expect(ExitCode.NOT_FOUND, "heal", "none", "--vault", vault, "--from", other);
        assertTrue(error().contains("no volume \"none\""), this::said);
        assertSame(bad, files());
    }

    @Test
    void theWrongVaultHealsNothingAndIsNamed() throws Exception {
        twoVaults();
        damage();
        Path wrong = folder.resolve("wrong");
        expect(ExitCode.OK, "archive", image, "--vault", wrong, "--volume", "others");
        expect(ExitCode.FINDINGS, heal("--from", wrong));
        assertTrue(out().contains("note: vault " + wrong + ": has no volume \"tools\"\n"), this::said);

        // of the same name, and of the same content, but another volume
        Map<String, byte[]> bad = files();
        Path twin = folder.resolve("twin");
        expect(ExitCode.OK, "archive", image, "--vault", twin, "--volume", "tools");
        List<String> there = listing(twin);
        run(heal("--from", twin));
        assertEquals(there, listing(twin));
        bad.keySet().forEach(name -> assertTrue(Files.exists(vault.resolve("tools").resolve(name)), name));
        expect(ExitCode.OK, heal("--from", wrong, "--from", twin, "--from", other));
        expect(ExitCode.OK, "verify", "tools", "--vault", vault);
    }

    @Test
    void ofADeviceOnlyWhatItStillHoldsIsTakenAndTheRestIsListed() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and loop devices");
        twoVaults();
        byte[] good = Files.readAllBytes(file(vault, ".full.zst"));
        for (int group : new int[] {3, 4}) { // of the device at some 3.5 and 4.5 MiB, as the full and the newest point have it
            Damage.flip(group * MIB + MIB / 2, 1).inflictOn(file(vault, ".full.zst"));
        }
        byte[] device = Files.readAllBytes(image);
        for (int at = 3 * MIB; at < 4 * MIB; at += 4096) {
            device[at] ^= 1; // changed since
        }
        Files.write(image, device);
        try (LoopDevice loop = LoopDevice.attach(image)) {
            expect(ExitCode.FINDINGS, heal("--from-device", loop.path(), "--json"));
        }
        String json = out().replaceAll("\\s", "");
        assertTrue(json.contains("\"losses\":[{\"file\":\"" + file(vault, ".full.zst").getFileName() + "\",\"position\":" + 3 * MIB + ",\"size\":" + MIB + ","), this::said);
        assertTrue(json.contains("\"chunks\":[{\"offset\":" + 55 * 65536 + ",\"size\":65536}]"), this::said);
        assertTrue(json.matches(".*\"parts\":\\[\\{\"position\":" + 4 * MIB + ",\"size\":\\d+,\"from\":\"[^\"]*/dev/loop.*"), this::said);
        byte[] now = Files.readAllBytes(file(vault, ".full.zst"));
        assertEquals(3 * MIB + MIB / 2, Arrays.mismatch(good, now), "the first wrong byte");
        assertEquals(-1, Arrays.mismatch(Arrays.copyOfRange(good, 4 * MIB, good.length), Arrays.copyOfRange(now, 4 * MIB, now.length)));

        for (Path nothing : List.of(folder.resolve("none"), folder)) {
            assertFalse(run(heal("--from-device", nothing)) == ExitCode.OK);
            assertTrue(error().contains(nothing.toString()), this::said);
        }
        Files.write(image, new byte[4096]); // another device altogether
        expect(ExitCode.FINDINGS, heal("--from-device", image));
        assertArrayEquals(now, Files.readAllBytes(file(vault, ".full.zst")));
    }

    // ---- sealed

    @Test
    void everyFileOfASealedVolumeIsHealedWithoutAKey() throws Exception {
        String recipient = Files.readAllLines(TestFiles.identity()).stream().filter(line -> line.startsWith("# public key: ")).findFirst().orElseThrow().substring(14);
        twoVaults("--recipient", recipient);
        Map<String, byte[]> good = files();
        Damage.flip(1_200_000, 1).inflictOn(file(vault, ".full.zst.age"));
        Damage.truncate(100).inflictOn(file(vault, ".delta.zst.age"));
        Damage.flip(100, 1).inflictOn(file(vault, ".full.tree"));
        Damage.truncate(1000).inflictOn(file(vault, ".full.index"));
        Damage.flip(300, 1).inflictOn(file(vault, ".delta.json"));
        Files.delete(file(vault, ".delta.tree"));
        expect(ExitCode.FINDINGS, heal()); // of itself it has the trees
        expect(ExitCode.OK, heal("--from", other));
        assertSame(good, files());
        expect(ExitCode.OK, "verify", "tools", "--vault", vault, "--identity", TestFiles.identity());
    }
}
