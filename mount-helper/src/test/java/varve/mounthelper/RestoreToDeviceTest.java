package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.testdata.LoopDevice;

/// Restores to real block devices.
final class RestoreToDeviceTest {
    private static final int SIZE = 6 << 20;

    @TempDir
    Path folder;

    private Scene scene;

    @BeforeEach
    void place() {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root, for loop devices");
        scene = new Scene(folder);
    }

    /// a device with garbage on it
    private LoopDevice device(int size, String... options) throws IOException {
        return LoopDevice.attach(Files.write(folder.resolve("backing"), Scene.dense(99, size)), options);
    }

    @Test
    void aDeviceBecomesTheImage() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        scene.archive(image);
        try (LoopDevice device = device(SIZE)) {
            Restoration.Outcome outcome = scene.restore("tools", device.path());
            Scene.assertBeginsWith(image, device.path());
            assertEquals(SIZE, outcome.written() + outcome.zero());
            assertEquals(outcome.zero(), outcome.cleared());
            assertEquals(Scene.blake3(image), outcome.root().toString());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 511, 4097, Scene.CHUNK, SIZE - 513, SIZE - 4096 * 3 + 100})
    void beyondTheImageALargerDeviceStaysAsItIs(int size) throws Exception {
        byte[] image = Scene.image(2, size);
        scene.archive(image);
        try (LoopDevice device = device(SIZE)) {
            assertEquals(SIZE - size, scene.plan("tools", device.path()).tail());
            scene.restore("tools", device.path());
            Scene.assertBeginsWith(image, device.path());
            assertArrayEquals(Arrays.copyOfRange(Scene.dense(99, SIZE), size, SIZE), Scene.range(device.path(), size, SIZE - size));
        }
    }

    @Test
    void zerosAtTheEndOfAnOddSizeOverwriteStaleBytes() throws Exception {
        byte[] image = new byte[3 * Scene.CHUNK + 4096 + 77];
        scene.archive(image);
        try (LoopDevice device = device(SIZE)) {
            scene.restore("tools", device.path());
            Scene.assertBeginsWith(image, device.path());
            assertArrayEquals(
                    Arrays.copyOfRange(Scene.dense(99, SIZE), image.length, SIZE), Scene.range(device.path(), image.length, SIZE - image.length));
        }
    }

    @Test
    void sectorsMayBeLarge() throws Exception {
        byte[] image = Scene.image(3, SIZE - 1000);
        scene.archive(image);
        try (LoopDevice device = device(SIZE, "--sector-size", "4096")) {
            scene.restore("tools", device.path());
            Scene.assertBeginsWith(image, device.path());
        }
    }

    @Test
    void aSmallerDeviceIsRefusedWithTheNumbers() throws Exception {
        scene.archive(Scene.image(4, SIZE));
        try (LoopDevice device = device(SIZE - 4096)) {
            RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", device.path()));
            assertEquals(device.path() + ": too small: it has 6287360 bytes, the image has 6291456, 4096 more", e.getMessage());
            Scene.assertBeginsWith(Scene.dense(99, SIZE - 4096), device.path());
        }
    }

    @Test
    void aDeviceHasToBeNamed() throws Exception {
        scene.archive(Scene.image(5, SIZE));
        try (LoopDevice device = device(SIZE); Restoration restoration = scene.open("tools", device.path(), RestoreOptions.defaults())) {
            assertThrows(RefusedException.class, () -> restoration.execute(Optional.empty(), bytes -> {}));
            assertThrows(RefusedException.class, () -> restoration.execute(Optional.of(Path.of("/dev/loop")), bytes -> {}));
            Scene.assertBeginsWith(Scene.dense(99, SIZE), device.path());
        }
    }

    @Test
    void inPlaceWritesOnlyWhatDiffers() throws Exception {
        byte[] image = Scene.image(6, SIZE);
        scene.archive(image);
        byte[] old = image.clone();
        int data = firstData(image);
        old[data * Scene.CHUNK + 1] ^= 1;
        try (LoopDevice device = LoopDevice.attach(Files.write(folder.resolve("backing"), old))) {
            Restoration.Outcome outcome = scene.restore("tools", device.path(), Scene.inPlace());
            assertEquals(Scene.CHUNK, outcome.written());
            assertEquals(0, outcome.cleared());
            assertEquals(SIZE, outcome.written() + outcome.kept() + outcome.zero());
            Scene.assertBeginsWith(image, device.path());
        }
    }

    private static int firstData(byte[] image) {
        int chunk = 0;
        while (image[chunk * Scene.CHUNK] == 0) {
            chunk++;
        }
        return chunk;
    }

    @Test
    void whatDoesNotMatchForLongIsWrittenWithoutLooking() throws Exception {
        int size = 12 << 20;
        byte[] image = Scene.dense(7, size);
        scene.archive(image);
        byte[] old = image.clone();
        Arrays.fill(old, 32 * Scene.CHUNK, 100 * Scene.CHUNK, (byte) 5);
        try (LoopDevice device = LoopDevice.attach(Files.write(folder.resolve("backing"), old))) {
            Restoration.Outcome outcome = scene.restore("tools", device.path(), RestoreOptions.of(1));
            assertEquals(32 * Scene.CHUNK, outcome.kept());
            assertEquals(size - 32 * Scene.CHUNK, outcome.written());
            Scene.assertBeginsWith(image, device.path());
        }
    }

    // ---- who holds it

    @Test
    void aMountedDeviceIsRefused() throws Exception {
        scene.archive(Scene.image(8, SIZE));
        Path mountPoint = Files.createDirectory(folder.resolve("a mount point"));
        try (LoopDevice device = device(SIZE)) {
            Scene.run("mkfs.ext4", "-q", device.path().toString());
            byte[] before = Scene.prefix(device.path(), SIZE);
            Scene.run("mount", device.path().toString(), mountPoint.toString());
            try {
                RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", device.path()));
                assertEquals(device.path() + ": in use: mounted on " + mountPoint, e.getMessage());
            } finally {
                Scene.run("umount", mountPoint.toString());
            }
            assertArrayEquals(Arrays.copyOf(before, 1024), Scene.prefix(device.path(), 1024));
        }
    }

    @Test
    void aDiskWithAMountedPartitionIsRefused() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/usr/sbin/sfdisk")) || Files.exists(Path.of("/sbin/sfdisk")), "needs sfdisk");
        scene.archive(Scene.image(9, SIZE));
        Path mountPoint = Files.createDirectory(folder.resolve("mnt"));
        try (LoopDevice device = device(4 * SIZE)) {
            Scene.run("sh", "-c", "echo '2048,,L' | sfdisk -q -X gpt --wipe always " + device.path());
            Scene.run("partx", "-a", device.path().toString());
            String partition = device.path() + "p1";
            try {
                Scene.run("mkfs.ext4", "-q", partition);
                Scene.run("mount", partition, mountPoint.toString());
                RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", device.path()));
                assertEquals(device.path() + ": in use: mounted on " + mountPoint, e.getMessage());
                Scene.run("umount", mountPoint.toString());
                assertTrue(scene.plan("tools", device.path()).contents().contains("GPT"));
            } finally {
                Scene.run("sh", "-c", "umount " + mountPoint + " 2>/dev/null; partx -d " + device.path());
            }
        }
    }

    @Test
    void aHeldDeviceIsRefused() throws Exception {
        scene.archive(Scene.image(10, SIZE));
        try (LoopDevice device = device(SIZE);
                Restoration first = scene.open("tools", device.path(), RestoreOptions.defaults())) {
            RefusedException e = assertThrows(RefusedException.class, () -> scene.plan("tools", device.path()));
            assertTrue(e.getMessage().startsWith(device.path() + ": in use: "), e::getMessage);
            assertEquals(RestorePlan.Kind.DEVICE, first.plan().kind());
        }
    }

    @Test
    void aDeviceThatAProcessWritesToIsRefused() throws Exception {
        scene.archive(Scene.image(11, SIZE));
        try (LoopDevice device = device(SIZE)) {
            Process writer = new ProcessBuilder("sh", "-c", "exec 3<>" + device.path() + "; echo ready; read x").start();
            try {
                assertEquals("ready", writer.inputReader().readLine());
                RefusedException e = assertThrows(RefusedException.class, () -> scene.plan("tools", device.path()));
                assertTrue(e.getMessage().contains("open for writing in process " + writer.pid()), e::getMessage);
            } finally {
                writer.destroy();
                writer.waitFor();
            }
        }
    }

    @Test
    void aProcessThatWritesForAMomentIsNoHolder() throws Exception {
        scene.archive(Scene.image(11, SIZE));
        try (LoopDevice device = device(SIZE)) {
            String opens = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.02; sh -c 'exec 3<>" + device.path() + "; sleep 0.02'; done; echo";
            Process writers = new ProcessBuilder("sh", "-c", "echo ready; while " + opens + "; do :; done").start();
            try {
                assertEquals("ready", writers.inputReader().readLine());
                for (int i = 0; i < 5; i++) {
                    assertEquals(RestorePlan.Kind.DEVICE, scene.plan("tools", device.path()).kind());
                }
            } finally {
                writers.destroy();
                writers.waitFor();
            }
        }
    }

    @Test
    void aReadOnlyDeviceIsRefused() throws Exception {
        scene.archive(Scene.image(12, SIZE));
        try (LoopDevice device = device(SIZE, "--read-only")) {
            RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", device.path()));
            assertEquals(device.path() + ": a read-only device", e.getMessage());
        }
    }

    @Test
    void aFileBehindALoopDeviceIsRefused() throws Exception {
        scene.archive(Scene.image(13, SIZE));
        try (LoopDevice device = device(SIZE)) {
            Path link = Files.createLink(folder.resolve("other name"), folder.resolve("backing"));
            for (Path file : new Path[] {folder.resolve("backing"), link}) {
                RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", file, Scene.inPlace()));
                assertEquals(file + ": in use: behind the loop device " + device.path(), e.getMessage());
            }
        }
    }

    @Test
    void aDeviceMadeOfAFileOfTheVaultIsRefused() throws Exception {
        scene.archive(Scene.image(14, SIZE));
        Path inside = Files.write(scene.vault.resolve("tools/x"), new byte[SIZE]);
        try (LoopDevice device = LoopDevice.attach(inside)) {
            RefusedException e = assertThrows(RefusedException.class, () -> scene.restore("tools", device.path()));
            assertTrue(e.getMessage().contains("belongs to the vault"), e::getMessage);
        }
    }

    // ---- errors

    @Test
    void anErrorOfTheDeviceNamesTheOffset() throws Exception {
        scene.archive(Scene.dense(15, 24 << 20));
        Path small = Files.createDirectory(folder.resolve("small"));
        Scene.run("mount", "-t", "tmpfs", "-o", "size=8m", "none", small.toString());
        try {
            Scene.run("truncate", "-s", "24M", small.resolve("backing").toString());
            try (LoopDevice device = LoopDevice.attach(small.resolve("backing"))) {
                DeviceException e = assertThrows(DeviceException.class, () -> scene.restore("tools", device.path()));
                assertTrue(e.getMessage().matches(device.path() + ": cannot write at [0-9]+: .*"), e::getMessage);
                Scene.run("mount", "-o", "remount,size=64m", small.toString());
                assertTrue(scene.restore("tools", device.path()).kept() > 4 << 20);
                Scene.assertBeginsWith(Scene.dense(15, 24 << 20), device.path());
            }
        } finally {
            Scene.run("umount", small.toString());
        }
    }

    // ---- a real file system

    @Test
    void aRealFileSystemComesBack() throws Exception {
        Path image = folder.resolve("fs.img");
        Path mountPoint = Files.createDirectory(folder.resolve("mnt"));
        Scene.run("truncate", "-s", "40M", image.toString());
        Scene.run("mkfs.ext4", "-q", "-L", "tools", image.toString());
        for (String day : new String[] {"monday", "tuesday"}) {
            try (LoopDevice device = LoopDevice.attach(image)) {
                Scene.run("mount", device.path().toString(), mountPoint.toString());
                Files.writeString(mountPoint.resolve("notes"), day);
                Files.write(mountPoint.resolve(day), Scene.dense(day.length(), 3 << 20));
                Scene.run("umount", mountPoint.toString());
            }
            scene.archive(Files.readAllBytes(image));
        }
        try (LoopDevice device = device(40 << 20)) {
            scene.restore("tools@-1", device.path());
            assertTrue(scene.plan("tools", device.path()).contents().equals("ext2/3/4 file system \"tools\""));
            Scene.run("e2fsck", "-f", "-n", device.path().toString());
            Scene.run("mount", "-o", "ro", device.path().toString(), mountPoint.toString());
            try {
                assertEquals("monday", Files.readString(mountPoint.resolve("notes")));
                assertArrayEquals(Scene.dense(6, 3 << 20), Files.readAllBytes(mountPoint.resolve("monday")));
            } finally {
                Scene.run("umount", mountPoint.toString());
            }
            scene.restore("tools", device.path(), Scene.inPlace());
            Scene.assertHolds(Files.readAllBytes(image), folder.resolve("backing"));
        }
    }
}
