package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.format.CorruptException;
import varve.archive.vault.NotFoundException;

/// Restores to regular files: new ones, replaced ones, ones changed in place.
final class RestoreToFileTest {
    private static final int SIZE = 6 << 20;

    @TempDir
    Path folder;

    private Scene scene;
    private Path target;

    @BeforeEach
    void place() {
        scene = new Scene(folder);
        target = folder.resolve("target.img");
    }

    private static long allocated(Path file) throws Exception {
        return 512 * Long.parseLong(Scene.run("stat", "-c", "%b", file.toString()).strip());
    }

    @Test
    void everyPointOfAHistoryComesBack() throws Exception {
        byte[] day = Scene.image(1, SIZE);
        byte[][] days = new byte[5][];
        for (int i = 0; i < days.length; i++) {
            days[i] = day;
            scene.archive(day);
            day = Scene.changed(i % 2 == 0 ? day : Arrays.copyOf(day, day.length + 12345 - 20000 * i), i);
        }
        for (int i = 0; i < days.length; i++) {
            Path file = folder.resolve("day" + i);
            Restoration.Outcome outcome = scene.restore("tools@" + (i - days.length + 1 == 0 ? "latest" : i - days.length + 1), file);
            Scene.assertHolds(days[i], file);
            assertEquals(Scene.blake3(days[i]), outcome.root().toString());
            assertEquals(days[i].length, outcome.written() + outcome.zero());
        }
        Scene.assertNoStage(folder);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 511, 4095, 4096, 4097, Scene.CHUNK, Scene.CHUNK + 1, 3 * Scene.CHUNK - 513, 1_000_001})
    void oddSizesComeBack(int size) throws Exception {
        byte[] image = Scene.dense(size, size);
        scene.archive(image).restore("tools", target);
        Scene.assertHolds(image, target);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4097, 1_000_001})
    void zerosOfOddSizesComeBack(int size) throws Exception {
        scene.archive(new byte[size]).restore("tools", target);
        Scene.assertHolds(new byte[size], target);
        assertEquals(0, allocated(target));
    }

    @Test
    void zeroBlocksBecomeHoles() throws Exception {
        byte[] image = Scene.image(2, SIZE);
        scene.archive(image).restore("tools", target);
        Scene.assertHolds(image, target);
        long data = 0;
        for (int at = 0; at < SIZE; at += Scene.BLOCK) {
            data += Arrays.equals(image, at, at + Scene.BLOCK, new byte[Scene.BLOCK], 0, Scene.BLOCK) ? 0 : Scene.BLOCK;
        }
        assertTrue(data < SIZE * 9 / 10);
        assertTrue(allocated(target) <= data + (64 << 10), allocated(target) + " allocated for " + data);
    }

    @Test
    void aDryRunWritesNothing() throws Exception {
        RestorePlan plan = scene.archive(Scene.image(3, SIZE)).plan("tools", target);
        assertEquals(RestorePlan.Kind.NEW_FILE, plan.kind());
        assertEquals(RestorePlan.Mode.STAGED, plan.mode());
        assertEquals(SIZE, plan.size());
        assertFalse(plan.overwrites());
        assertFalse(Files.exists(target));
        Scene.assertNoStage(folder);
    }

    @Test
    void anExistingFileHasToBeNamed() throws Exception {
        scene.archive(Scene.image(4, SIZE));
        Files.writeString(target, "precious");
        try (Restoration restoration = scene.open("tools", target, RestoreOptions.defaults())) {
            assertTrue(restoration.plan().overwrites());
            RefusedException e = assertThrows(RefusedException.class, () -> restoration.execute(Optional.empty(), bytes -> {}));
            assertTrue(e.getMessage().contains("--overwrite " + target), e::getMessage);
            assertThrows(RefusedException.class,
                    () -> restoration.execute(Optional.of(folder.resolve("x/../target.img")), bytes -> {}));
        }
        assertEquals("precious", Files.readString(target));
    }

    @Test
    void anExistingFileIsReplacedAndKeepsItsMode() throws Exception {
        byte[] image = Scene.image(5, SIZE);
        scene.archive(image);
        Files.write(target, Scene.dense(1, 3 * SIZE));
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-r-----"));
        Object inode = Files.getAttribute(target, "unix:ino");
        scene.restore("tools", target);
        Scene.assertHolds(image, target);
        assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(target)));
        assertFalse(inode.equals(Files.getAttribute(target, "unix:ino")));
    }

    @Test
    void aLinkStaysALink() throws Exception {
        byte[] image = Scene.image(6, SIZE);
        scene.archive(image);
        Files.writeString(target, "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);
        scene.restore("tools", link);
        assertTrue(Files.isSymbolicLink(link));
        Scene.assertHolds(image, target);
    }

    // ---- in place

    @Test
    void inPlaceWritesOnlyWhatDiffers() throws Exception {
        byte[] image = Scene.dense(7, SIZE);
        scene.archive(image);
        byte[] old = image.clone();
        for (int chunk : new int[] {0, 17, 18, 95}) {
            old[chunk * Scene.CHUNK + 77] ^= 4;
        }
        Files.write(target, old);
        Object inode = Files.getAttribute(target, "unix:ino");
        Restoration.Outcome outcome = scene.restore("tools", target, Scene.inPlace());
        assertEquals(4 * Scene.CHUNK, outcome.written());
        assertEquals(SIZE - 4 * Scene.CHUNK, outcome.kept());
        Scene.assertHolds(image, target);
        assertEquals(inode, Files.getAttribute(target, "unix:ino"));
    }

    @Test
    void inPlaceTwiceWritesNothing() throws Exception {
        byte[] image = Scene.image(8, SIZE);
        scene.archive(image);
        Files.write(target, Scene.dense(2, SIZE));
        Restoration.Outcome first = scene.restore("tools", target, Scene.inPlace());
        assertTrue(first.cleared() > 0);
        Restoration.Outcome second = scene.restore("tools", target, Scene.inPlace());
        assertEquals(0, second.written() + second.cleared());
        Scene.assertHolds(image, target);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 100, SIZE / 2 + 333, SIZE, SIZE + 1, 2 * SIZE})
    void inPlaceLeavesNoStaleByte(int oldSize) throws Exception {
        byte[] image = Scene.image(9, SIZE - 777);
        scene.archive(image);
        Files.write(target, Scene.dense(3, oldSize));
        scene.restore("tools", target, Scene.inPlace());
        Scene.assertHolds(image, target);
    }

    @Test
    void inPlaceOfAFileThatIsNotThereIsStaged() throws Exception {
        byte[] image = Scene.image(10, SIZE);
        Restoration restoration = scene.archive(image).open("tools", target, Scene.inPlace());
        try (restoration) {
            assertEquals(RestorePlan.Mode.STAGED, restoration.plan().mode());
            restoration.execute(Optional.empty(), bytes -> {});
        }
        Scene.assertHolds(image, target);
    }

    // ---- stages

    @Test
    void aStageIsContinued() throws Exception {
        byte[] image = Scene.dense(11, SIZE);
        scene.archive(image);
        byte[] half = Arrays.copyOf(image, SIZE / 2);
        Files.write(folder.resolve("target.img.varve-partial"), half);
        assertEquals(Optional.of(folder.toRealPath().resolve("target.img.varve-partial")), scene.plan("tools", target).left());
        Restoration.Outcome outcome = scene.restore("tools", target);
        assertEquals(SIZE / 2, outcome.kept());
        assertEquals(SIZE / 2, outcome.written());
        Scene.assertHolds(image, target);
        Scene.assertNoStage(folder);
    }

    @Test
    void aStageOfSomethingElseIsOverwritten() throws Exception {
        byte[] image = Scene.image(12, 12 << 20);
        scene.archive(image);
        Files.write(folder.resolve("target.img.varve-partial"), Scene.dense(4, 13 << 20));
        scene.restore("tools", target);
        Scene.assertHolds(image, target);
    }

    @Test
    void aStageThatIsALinkIsNotFollowed() throws Exception {
        scene.archive(Scene.image(13, SIZE));
        Path precious = Files.writeString(folder.resolve("precious"), "precious");
        Files.createSymbolicLink(folder.resolve("target.img.varve-partial"), precious);
        assertThrows(IOException.class, () -> scene.restore("tools", target));
        assertEquals("precious", Files.readString(precious));
    }

    @Test
    void aSecondRestoreToTheSameFileIsRefused() throws Exception {
        byte[] image = Scene.image(14, SIZE);
        scene.archive(image);
        try (Restoration first = scene.open("tools", target, RestoreOptions.defaults())) {
            Restoration.Outcome[] outcome = new Restoration.Outcome[1];
            boolean[] refused = new boolean[1];
            outcome[0] = first.execute(Optional.empty(), bytes -> {
                if (!refused[0]) {
                    refused[0] = true;
                    RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", target));
                    assertTrue(e.getMessage().contains("another restore"), e::getMessage);
                }
            });
            assertTrue(refused[0]);
        }
        Scene.assertHolds(image, target);
    }

    @Test
    void aFileThatAppearsMeanwhileIsNotOverwritten() throws Exception {
        scene.archive(Scene.image(15, SIZE));
        try (Restoration restoration = scene.open("tools", target, RestoreOptions.defaults())) {
            Files.writeString(target, "precious");
            assertThrows(RefusedException.class, () -> restoration.execute(Optional.empty(), bytes -> {}));
        }
        assertEquals("precious", Files.readString(target));
    }

    // ---- refusals

    @Test
    void targetsThatAreNoneAreRefused() throws Exception {
        scene.archive(Scene.image(16, SIZE));
        assertRefused(folder, "a folder");
        assertRefused(Path.of("/dev/null"), "neither a block device nor a file");
        assertRefused(Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nowhere")), "leads nowhere");
        assertRefused(scene.vault.resolve("new.img"), "belongs to the vault");
        assertRefused(scene.data("full", 0), "belongs to the vault");
        assertRefused(Files.createLink(folder.resolve("hard"), scene.data("full", 0)), "belongs to the vault");
        Path elsewhere = folder.resolve("elsewhere");
        Path volume = scene.vault.resolve("tools");
        Files.move(volume, elsewhere);
        Files.createSymbolicLink(volume, elsewhere);
        assertRefused(elsewhere.resolve("new.img"), "belongs to the vault");
        assertThrows(NoSuchFileException.class, () -> scene.plan("tools", folder.resolve("no/such/folder")));
        NoSuchFileException e = assertThrows(NoSuchFileException.class, () -> scene.plan("tools", Path.of("/dev/loop4711")));
        assertTrue(e.getMessage().contains("no such device"), e::getMessage);
        assertThrows(NotFoundException.class, () -> scene.plan("tools@2020-01-01", target));
        assertThrows(NotFoundException.class, () -> scene.plan("other", target));
    }

    private void assertRefused(Path path, String why) {
        RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", path));
        assertTrue(e.getMessage().contains(why), e::getMessage);
        assertTrue(e.getMessage().startsWith(path.toString()), e::getMessage);
    }

    @Test
    void aFileThatAnotherProcessWritesToIsRefused() throws Exception {
        scene.archive(Scene.image(17, SIZE));
        Files.writeString(target, "in use");
        Process writer = new ProcessBuilder("sh", "-c", "exec 3>>'" + target + "'; echo ready; read x").start();
        try {
            assertEquals("ready", writer.inputReader().readLine());
            RefusedException e = assertThrows(RefusedException.class, () -> scene.plan("tools", target));
            assertTrue(e.getMessage().contains("open for writing in process " + writer.pid() + " (sh)"), e::getMessage);
        } finally {
            writer.destroy();
            writer.waitFor();
        }
        scene.plan("tools", target);
    }

    // ---- damage

    @Test
    void aDamagedArchiveLeavesTheOldFileUntouched() throws Exception {
        scene.archive(Scene.dense(18, SIZE));
        byte[] old = Scene.dense(5, SIZE);
        Files.write(target, old);
        Scene.damage(scene.data("full", 0));
        assertThrows(CorruptException.class, () -> scene.restore("tools", target));
        Scene.assertHolds(old, target);
    }

    @Test
    void aRestoreThatADamagedArchiveEndedGoesOnWithAnotherCopy() throws Exception {
        byte[] image = Scene.dense(19, SIZE);
        scene.archive(image);
        Path data = scene.data("full", 0);
        byte[] good = Files.readAllBytes(data);
        Scene.damage(data);
        assertThrows(CorruptException.class, () -> scene.restore("tools", target));
        assertFalse(Files.exists(target));
        Files.write(data, good);
        assertTrue(scene.restore("tools", target).kept() > 0);
        Scene.assertHolds(image, target);
    }

    @Test
    void aMissingArchiveIsNamedBeforeAnythingIsWritten() throws Exception {
        byte[] image = Scene.image(20, SIZE);
        scene.archive(image).archive(Scene.changed(image, 1)).archive(Scene.changed(image, 2));
        Path delta = scene.data("delta", 0);
        Files.delete(delta);
        BrokenChainException e = assertThrows(BrokenChainException.class, () -> scene.restore("tools", target));
        assertTrue(e.getMessage().contains(delta.getFileName().toString()), e::getMessage);
        Scene.assertNoStage(folder);
        scene.restore("tools@-2", target);
        Scene.assertHolds(image, target);
    }

    @Test
    void aCutArchiveIsFoundBeforeAnythingIsWritten() throws Exception {
        byte[] image = Scene.image(21, SIZE);
        scene.archive(image);
        Path data = scene.data("full", 0);
        byte[] bytes = Files.readAllBytes(data);
        Files.write(data, Arrays.copyOf(bytes, bytes.length - 1));
        assertThrows(CorruptException.class, () -> scene.restore("tools", target));
        Scene.assertNoStage(folder);
    }

    @Test
    void withADamagedManifestAPointHasToBeNamedByItsRoot() throws Exception {
        byte[] monday = Scene.image(22, SIZE);
        scene.archive(monday).archive(Scene.changed(monday, 1));
        Path manifest = Path.of(scene.data("delta", 0).toString().replace(".zst", ".json"));
        Files.write(manifest, new byte[] {'{'});
        CorruptException e = assertThrows(CorruptException.class, () -> scene.plan("tools@latest", target));
        String root = Scene.blake3(monday);
        assertTrue(e.getMessage().contains("tools@" + root.substring(0, 12)), e::getMessage);
        RestorePlan plan = scene.plan("tools@" + root.substring(0, 12), target);
        assertEquals(1, plan.warnings().size());
        scene.restore("tools@" + root, target);
        Scene.assertHolds(monday, target);
    }

    @Test
    void anErrorOfTheTargetNamesTheOffset() throws Exception {
        scene.archive(Scene.dense(23, 24 << 20));
        Path small = Files.createDirectory(folder.resolve("small"));
        if (!varve.testdata.LoopDevice.available()) {
            org.junit.jupiter.api.Assumptions.abort("needs root, to mount a small file system");
        }
        Scene.run("mount", "-t", "tmpfs", "-o", "size=8m", "none", small.toString());
        try {
            Path file = small.resolve("t.img");
            DeviceException e = assertThrows(DeviceException.class, () -> scene.restore("tools", file));
            assertTrue(e.getMessage().matches(".*t.img.varve-partial: cannot write at [0-9]+: No space left on device"), e::getMessage);
            assertFalse(Files.exists(file));
            Scene.run("mount", "-o", "remount,size=64m", small.toString());
            assertTrue(scene.restore("tools", file).kept() > 4 << 20);
            Scene.assertHolds(Scene.dense(23, 24 << 20), file);
        } finally {
            Scene.run("umount", small.toString());
        }
    }
}
