package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.VaultScene.VOLUME;
import static varve.archive.VaultScene.assertNoStage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.testdata.Disk;
import varve.testdata.Images;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// Vaults on disks of their own: real ext4 file systems that are mounted, swapped, pulled, full, and read-only.
class RealDisksTest {

    private static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    private final List<Disk> disks = new ArrayList<>();
    private VaultScene scene;
    private Path home;
    private Path slot;

    @BeforeEach
    void make() throws Exception {
        Assumptions.assumeTrue(Disk.available(), "needs root and /dev/loop-control");
        Assumptions.assumeTrue(Tools.find("mkfs.ext4").isPresent(), "needs mkfs.ext4");
        scene = new VaultScene(folder, 3);
        home = scene.home;
        slot = folder.resolve("slot");
        scene.archive();
        scene.archive();
    }

    @AfterEach
    void unmount() throws IOException {
        for (Disk disk : disks) {
            disk.close();
        }
    }

    /// {@return a disk with a vault on it, not mounted, that goes into the one slot}
    private Disk disk(String label, long size) throws IOException {
        Disk disk = Disk.format(folder.resolve(label + ".disk"), size, slot, "mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal");
        disks.add(disk);
        disk.mount("rw");
        scene.expect(ExitCode.OK, "vault", "init", slot, "--label", label, "--place", "shelf of " + label, "--state", "away");
        disk.unmount();
        return disk;
    }

    private List<String> content() throws IOException {
        try (Stream<Path> files = Files.walk(slot)) {
            return files.filter(file -> !file.equals(slot) && !file.endsWith("lost+found")).map(file -> slot.relativize(file).toString()).sorted().toList();
        }
    }

    // ---- turns

    @Test
    void disksTakeTurnsInOneSlot() throws Exception {
        Disk monday = disk("monday", 32 * MIB);
        Disk friday = disk("friday", 32 * MIB);
        for (int week = 0; week < 2; week++) {
            for (Disk disk : List.of(monday, friday)) {
                disk.mount("rw");
                scene.copy(slot);
                assertEquals(scene.points.size(), scene.restorable(slot).size());
                disk.unmount();
                scene.archive();
            }
        }
        assertEquals(List.of(3, 3, 3, 3, 2, 1), scene.copies());
        scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home);
        assertEquals(2, scene.dataFiles(home).size());
        scene.expect(ExitCode.OK, "where", "tools@-5", "--vault", home);
        assertTrue(scene.out.matches("(?s).*1  (monday|friday)  shelf of (monday|friday)  no .*"), scene.out);
        monday.mount("rw");
        scene.expect(ExitCode.OK, "where", "tools@-5", "--vault", home);
        assertTrue(scene.out.contains("1  monday  shelf of monday  " + slot), scene.out);
        assertEquals(6, scene.restorable(home, slot).size());
        scene.copy(slot);
        assertEquals(List.of(2, 2, 2, 2, 2, 2), scene.copies());
        monday.unmount();
    }

    // ---- the wrong disk, or none

    @Test
    void anEmptySlotIsNoVault() throws Exception {
        disk("monday", 16 * MIB);
        for (String to : List.of(slot.toString(), "monday=" + slot)) {
            scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", to);
            assertTrue(scene.err.contains("is the disk mounted?"), scene.err);
        }
        scene.expect(ExitCode.NOT_FOUND, "archive", scene.image, "--vault", "monday=" + slot);
        scene.expect(ExitCode.NOT_FOUND, "list", "--vault", slot);
        scene.expect(ExitCode.NOT_FOUND, "catalogue", "rebuild", slot, "--vault", home);
        assertEquals(List.of(), content(), "nothing was written to the folder that the disk hides");
    }

    @Test
    void anotherDiskIsNotTakenForIt() throws Exception {
        Disk monday = disk("monday", 16 * MIB);
        Disk friday = disk("friday", 16 * MIB);
        monday.mount("rw");
        scene.copy(slot);
        monday.unmount();
        friday.mount("rw");
        List<String> before = content();
        for (String to : List.of("monday", "monday=" + slot)) {
            scene.expect(ExitCode.NOT_FOUND, "copy", VOLUME, "--vault", home, "--to", to);
            assertTrue(scene.err.contains("vault friday"), scene.err);
        }
        scene.expect(ExitCode.NOT_FOUND, "archive", scene.image, "--vault", "monday=" + slot);
        scene.expect(ExitCode.NOT_FOUND, "evict", VOLUME, "--vault", home, "--vault", "monday=" + slot);
        assertEquals(before, content());
        scene.expect(ExitCode.OK, "vault", "list", "--vault", home);
        assertTrue(scene.out.lines().anyMatch(line -> line.startsWith("monday") && line.contains("  no  ")), scene.out);
        friday.unmount();
    }

    /// With a table of file systems of its own, which needs a mount namespace.
    @Test
    void whatTheSystemsTableHasADiskForHasToBeMounted() throws Exception {
        Assumptions.assumeTrue(Tools.find("unshare").isPresent(), "needs unshare");
        Disk monday = disk("monday", 16 * MIB);
        Path table = Files.writeString(folder.resolve("fstab"), "LABEL=x " + slot.toRealPath() + " ext4 noauto 0 0\n");
        List<String> inside = List.of("unshare", "-m", "--propagation", "private", "sh", "-c", "mount --bind " + table + " /etc/fstab && exec \"$@\"", "sh");
        for (List<Object> words : List.<List<Object>>of(
                List.of("archive", scene.image, "--vault", slot),
                List.of("archive", scene.image, "--vault", slot.resolve("vault")),
                List.of("vault", "init", slot),
                List.of("vault", "init", slot.resolve("vault")),
                List.of("list", "--vault", slot))) {
            try (VarveProcess varve = VarveProcess.start(inside, VarveProcess.QUICK, words.toArray())) {
                Ended end = varve.end().expect(9);
                assertTrue(end.error().contains("nothing is mounted on " + slot.toRealPath() + ", although /etc/fstab has a disk for it"), end::err);
            }
        }
        assertEquals(List.of(), content());
        monday.mount("rw");
        try (VarveProcess varve = VarveProcess.start(inside, VarveProcess.QUICK, "archive", scene.image, "--vault", slot)) {
            varve.end().expect(0);
        }
        monday.unmount();
        assertEquals(List.of(), content());
    }

    @Test
    void aDiskThatIsSwappedWhileARunIsAtWorkIsNotMixedUp() throws Exception {
        Disk monday = disk("monday", 64 * MIB);
        Disk friday = disk("friday", 64 * MIB);
        scene.set(Images.noise(1, 4 << 20));
        scene.archiveUnchanged();
        scene.archive();
        friday.mount("rw");
        final List<String> before = content();
        friday.unmount();
        monday.mount("rw");
        try (VarveProcess varve = VarveProcess.start("copy", VOLUME, "--vault", home, "--to", slot, "--bwlimit", "1M")) {
            assertTrue(varve.await(() -> stageSize() > 1 << 20));
            Tools.run("umount", "--lazy", slot).orElseThrow().expectSuccess();
            friday.mount("rw");
            Ended end = varve.end();
            String error = end.expect(10).error();
            assertTrue(error.contains("holds vault ") || error.contains("is the disk mounted?"), error);
        }
        assertEquals(before, content());
        friday.unmount();
        monday.mount("rw");
        scene.copy(slot);
        assertEquals(scene.points.size(), scene.restorable(slot).size());
        monday.unmount();
    }

    private long stageSize() throws IOException {
        Path volume = slot.resolve(VOLUME);
        if (!Files.exists(volume)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(volume)) {
            long[] size = {0};
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith(".varve-stage-") && path.toString().endsWith(".zst")).toList()) {
                size[0] = Math.max(size[0], Files.size(file));
            }
            return size[0];
        }
    }

    // ---- full

    @Test
    void whatDoesNotFitIsSaidBeforeAnythingIsWritten() throws Exception {
        Disk small = disk("small", 8 * MIB);
        scene.set(Images.noise(1, 12 << 20));
        scene.archiveUnchanged();
        small.mount("rw");
        scene.expect(ExitCode.IO, "copy", VOLUME, "--vault", home, "--to", slot, "--dry-run");
        assertTrue(scene.out.contains("  NO ROOM  for 1 point in time: tools@"), scene.out);
        assertTrue(scene.err.contains("has no room for 1 of the points in time"), scene.err);
        assertEquals(List.of("RESCUE.md", "rescue", "varve-vault.json", "varve_reader.py"), content());
        scene.expect(ExitCode.IO, "copy", VOLUME, "--vault", home, "--to", slot);
        assertEquals(List.of(1L, 2L), scene.restorable(slot), "what fits is there");
        assertNoStage(slot.resolve(VOLUME));
        assertEquals(List.of(2, 2, 1), scene.copies());
        small.unmount();
    }

    @Test
    void aDiskThatFillsUpMeanwhileLosesNothing() throws Exception {
        Disk disk = disk("monday", 24 * MIB);
        disk.mount("rw");
        scene.copy(slot);
        scene.set(Images.noise(1, 8 << 20));
        scene.archiveUnchanged();
        Path filler = slot.resolve("filler");
        try (VarveProcess varve = VarveProcess.start("copy", VOLUME, "--vault", home, "--to", slot, "--bwlimit", "2M")) {
            assertTrue(varve.await(() -> stageSize() > 1 << 20));
            fill(filler);
            Ended end = varve.end().expect(7);
            assertTrue(end.error().contains("No space left on device"), end::err);
        }
        assertNoStage(slot.resolve(VOLUME));
        assertEquals(List.of(1L, 2L), scene.restorable(slot));
        Files.delete(filler);
        scene.copy(slot);
        assertEquals(List.of(1L, 2L, 3L), scene.restorable(slot));
        disk.unmount();
    }

    private static void fill(Path file) {
        try (var out = Files.newOutputStream(file)) {
            byte[] block = new byte[1 << 16];
            while (true) {
                out.write(block);
            }
        } catch (IOException e) {
            // full
        }
    }

    // ---- read-only

    @Test
    void aReadOnlyDiskGetsNothing() throws Exception {
        Disk monday = disk("monday", 16 * MIB);
        monday.mount("ro");
        assertEquals(7, VarveProcess.run("copy", VOLUME, "--vault", home, "--to", slot).code());
        assertEquals(List.of("RESCUE.md", "rescue", "varve-vault.json", "varve_reader.py"), content());
        monday.unmount();
    }

    @Test
    void aReadOnlyDiskGivesAll() throws Exception {
        Disk monday = disk("monday", 32 * MIB);
        monday.mount("rw");
        scene.copy(slot);
        scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1");
        monday.remount("ro");
        Path third = scene.disk("third");
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", slot, "--to", third);
        assertTrue(scene.err.contains("read-only, so the catalogue of vault monday stays as it is"), scene.err);
        assertEquals(2, scene.restorable(third).size());
        scene.expect(ExitCode.OK, "where", "tools", "--vault", slot);
        scene.expect(ExitCode.OK, "catalogue", "merge", home, slot, third);
        assertEquals(List.of(2, 2), scene.copies());
        scene.expect(ExitCode.OK, "vault", "retire", third, "--vault", home);
        scene.expect(ExitCode.REFUSED, "vault", "retire", "monday", "--vault", home);
        monday.unmount();
    }

    // ---- evicted, and the disks away

    @Test
    void deltasGoOnWhileTheDisksAreOnTheShelf() throws Exception {
        Disk monday = disk("monday", 32 * MIB);
        monday.mount("rw");
        scene.copy(slot);
        monday.unmount();
        scene.expect(ExitCode.OK, "evict", VOLUME, "--vault", home, "--min-copies", "1");
        assertEquals(Set.of(), scene.dataFiles(home));
        scene.archive();
        scene.archive();
        assertEquals(List.of(), scene.restorable(home));
        assertFalse(scene.dataFiles(home).stream().anyMatch(name -> name.contains("full")));
        monday.mount("rw");
        assertEquals(4, scene.restorable(home, slot).size());
        scene.expect(ExitCode.OK, "copy", VOLUME, "--vault", home, "--to", "monday");
        assertEquals(4, scene.restorable(slot).size());
        monday.unmount();
    }
}
