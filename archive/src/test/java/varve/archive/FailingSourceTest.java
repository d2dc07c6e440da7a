package varve.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.cli.Captured;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.Tools;
import varve.testdata.VarveProcess;
import varve.testdata.VarveProcess.Ended;

/// A source that cannot be read, or is not what it was: an error that says where, and never a hole in the archive.
class FailingSourceTest {

    private static final int MIB = 1 << 20;

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
        Files.write(image, device);
        return device;
    }

    private Ended run(Object source, String... more) {
        return Captured.varve(Stream.concat(
                Stream.of("archive", source, "--vault", volume.vault(), "--volume", "tools"), Stream.of(more)).toArray());
    }

    // ---- while it is read

    @Test
    void aSectorThatCannotBeReadIsNamedByItsOffset() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        byte[] device = write(Images.noise(1, 8 * MIB));
        int good = 5 * MIB + 12 * 4096;
        try (LoopDevice loop = LoopDevice.attach(image)) {
            truncate(image, good); // the device keeps its size, what is beyond cannot be read
            String error = run(loop.path()).expect(7).error();
            assertEquals("varve: " + loop.path() + ": cannot read at " + good + ": Input/output error", error);
            assertEquals(0, volume.look().size());
            truncateAndWrite(image, device);
        }
        try (LoopDevice loop = LoopDevice.attach(image)) {
            run(loop.path()).expect(0);
        }
        volume.look(device);
    }

    @Test
    void aSectorThatCannotBeReadLeavesTheVolumeAsItWas() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        byte[] first = write(Images.noise(1, 4 * MIB));
        run(image).expect(0);
        volume.look(first);
        byte[] second = write(Images.noise(2, 4 * MIB));
        try (LoopDevice loop = LoopDevice.attach(image)) {
            truncate(image, 3 * MIB);
            assertTrue(run(loop.path()).expect(7).error().contains("cannot read at " + 3 * MIB));
        }
        volume.look();
        write(second);
        run(image).expect(0);
        volume.look(second);
        volume.lookAtAll();
    }

    @Test
    void aFileThatShrinksWhileItIsReadIsAnErrorWithTheOffset() throws Exception {
        write(Images.noise(1, 12 * MIB));
        Ended end = whileReading(() -> truncate(image, 9 * MIB + 5));
        assertEquals("varve: " + image + ": ends at " + (9 * MIB + 5) + ", expected " + 12 * MIB
                + ": it shrank while it was read", end.expect(7).error());
        assertEquals(0, volume.look().size());
    }

    @Test
    void aFileWhoseHoleShrinksWhileItIsReadIsAnError() throws Exception {
        write(Images.noise(1, 8 * MIB));
        truncate(image, 64 * MIB);
        Ended end = whileReading(() -> truncate(image, 32 * MIB));
        assertTrue(end.expect(7).error().contains("has " + 32 * MIB + " bytes now, had " + 64 * MIB), end::err);
        assertEquals(0, volume.look().size());
    }

    @Test
    void aFileThatGrowsWhileItIsReadIsAnError() throws Exception {
        byte[] device = write(Images.noise(1, 8 * MIB));
        Ended end = whileReading(() -> truncate(image, 9 * MIB));
        assertTrue(end.expect(7).error().contains("has " + 9 * MIB + " bytes now, had " + 8 * MIB), end::err);
        assertEquals(0, volume.look().size());
        assertTrue(volume.archive(image).reusedSize() > 0, "what was read right is used by the next run");
        volume.look(Arrays.copyOf(device, 9 * MIB));
    }

    /// As when a file system is mounted from the device, or another host writes to it.
    @Test
    void whatIsCachedOfADeviceIsNotTakenForTheDevice() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        byte[] old = write(Images.noise(1, 4 * MIB));
        byte[] now = Images.noise(2, 4 * MIB);
        try (LoopDevice loop = LoopDevice.attach(image)) {
            try (InputStream in = Files.newInputStream(loop.path())) {
                assertArrayEquals(old, in.readAllBytes());
                truncateAndWrite(image, now);
            }
            run(loop.path()).expect(0);
        }
        volume.look(now);
    }

    private interface Action {
        void run() throws IOException;
    }

    private Ended whileReading(Action action) throws Exception {
        try (VarveProcess varve = VarveProcess.start("archive", image, "--vault", volume.vault(), "--volume", "tools", "--bwlimit", "6M")) {
            assertTrue(varve.await(() -> Files.exists(volume.stage("data")) && Files.size(volume.stage("data")) > MIB));
            action.run();
            return varve.end();
        }
    }

    /// Lets reads of the image fail from the nth on.
    @Test
    void aReadThatFailsIsNamedByItsOffsetWheneverItIs() throws Exception {
        Assumptions.assumeTrue(Tools.find("strace").isPresent(), "needs strace");
        byte[] device = write(Images.noise(1, 6 * MIB));
        for (int n = 1; n <= 3; n++) {
            Ended end = injected("error=EIO:when=" + n + "+");
            assertTrue(end.expect(7).error().matches("varve: .*/device\\.img: cannot read at [0-9]+: Input/output error"), end::err);
            assertEquals(0, volume.look().size());
        }
        injected("error=EIO:when=2").expect(0); // read again, it can be read
        volume.look(device);
    }

    private Ended injected(String what) throws IOException, InterruptedException {
        List<String> strace = List.of("strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-o", "/dev/null",
                "-P", image.toString(), "-e", "trace=pread64", "-e", "inject=pread64:" + what);
        try (VarveProcess varve = VarveProcess.start(
                strace, VarveProcess.QUICK, "archive", image, "--vault", volume.vault(), "--volume", "tools")) {
            return varve.end();
        }
    }

    // ---- what is no source

    @Test
    void aFolderIsNoSource() throws Exception {
        assertEquals("varve: " + folder + ": a folder; give a block device, an image file, or - for a stream",
                run(folder).expect(9).error());
        assertFalse(Files.exists(volume.vault()));
    }

    @Test
    void aPipeIsNoSource() throws Exception {
        Path pipe = folder.resolve("pipe");
        Tools.run("mkfifo", pipe).orElseThrow().expectSuccess();
        assertTrue(run(pipe).expect(9).error().contains("neither file nor block device"));
        assertFalse(Files.exists(volume.vault()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/null", "/dev/zero", "/dev/stdin"})
    void aCharacterDeviceIsNoSource(String path) throws Exception {
        int code = VarveProcess.run("archive", path, "--vault", volume.vault()).code(); // the stdin of this process is not its own
        assertTrue(code == 9 || code == 10 || code == 7, () -> path + " ends with " + code);
        assertFalse(Files.exists(volume.vault()));
    }

    @Test
    void nothingIsNoSource() throws Exception {
        assertEquals("varve: " + image + ": no such file", run(image).expect(10).error());
        assertFalse(Files.exists(volume.vault()));
    }

    @Test
    void aDeviceWithoutAMediumIsNoSource() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        write(new byte[MIB]);
        Path path;
        try (LoopDevice loop = LoopDevice.attach(image)) {
            path = loop.path();
        }
        run(path).expect(7);
        assertFalse(Files.exists(volume.vault()));
    }

    @Test
    void anEmptyFileIsADeviceOfNoBytes() throws Exception {
        write(new byte[0]);
        run(image).expect(0);
        volume.look(new byte[0]);
        byte[] grown = write(Images.noise(1, MIB));
        run(image).expect(0);
        volume.look(grown);
        byte[] empty = write(new byte[0]);
        run(image).expect(0);
        volume.look(empty);
        volume.lookAtAll();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", ".", "..", "/."})
    void aFolderWithoutANameIsNoSource(String path) throws Exception {
        Ended end = Captured.varve("archive", path, "--vault", volume.vault());
        assertEquals(9, end.code(), end::err);
        end.error();
    }

    // ---- sizes

    @Test
    void aFileTooLargeForTheFormatIsRefusedAtOnce() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root to mount a tmpfs, whose files may have any size");
        Path place = Files.createDirectory(folder.resolve("tmpfs"));
        Tools.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place).orElseThrow().expectSuccess();
        try {
            Path huge = place.resolve("huge");
            Files.createFile(huge);
            truncate(huge, 7L << 60);
            String error = run(huge).expect(9).error();
            assertTrue(error.contains(String.valueOf(7L << 60)), error);
            truncate(huge, (1L << 50) + 1);
            run(huge).expect(9);
            truncate(huge, (1L << 42) + 1);
            run(huge, "--chunk-size", "64K").expect(9);
            assertFalse(Files.exists(volume.folder()) && !volume.archives().isEmpty());
        } finally {
            Tools.run("umount", "--lazy", place).orElseThrow().expectSuccess();
        }
    }

    @Test
    void aFileWithManyHolesComesBack() throws Exception {
        byte[] device = new byte[24 * MIB + 3000];
        for (int at = 0; at < device.length; at += 3 * 4096) {
            device[at] = (byte) (at >> 12);
        }
        Images.write(device, image);
        run(image).expect(0);
        volume.look(device);
    }

    private static void truncate(Path file, long size) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(size);
        }
    }

    private static void truncateAndWrite(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(bytes), 0);
        }
    }
}
