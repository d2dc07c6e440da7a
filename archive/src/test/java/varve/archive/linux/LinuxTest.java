package varve.archive.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.LoopDevice;

final class LinuxTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    @Test
    void writesAndReadsAtAnOffset() throws IOException {
        Path file = folder.resolve("f");
        int fd = Linux.open(file, Linux.O_RDWR | Linux.O_CREAT);
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(5, Linux.pwrite(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, "hello".getBytes()), 3));
            Linux.fsync(fd);
            MemorySegment buffer = arena.allocate(16);
            assertEquals(6, Linux.pread(fd, buffer, 2));
            assertEquals("hello", buffer.getString(1));
            assertEquals(0, Linux.pread(fd, buffer, 8));
            assertEquals(0, Linux.pread(fd, buffer, 1000));
            assertEquals(8, Linux.size(fd));
        } finally {
            Linux.close(fd);
        }
        assertArrayEquals("\0\0\0hello".getBytes(), Files.readAllBytes(file));
    }

    @Test
    void truncateMakesAHoleOrCutsOff() throws IOException {
        Path file = Files.writeString(folder.resolve("f"), "hello");
        int fd = Linux.open(file, Linux.O_RDWR | Linux.O_NOFOLLOW);
        try {
            Linux.truncate(fd, MIB);
            assertEquals(MIB, Linux.size(fd));
            Linux.truncate(fd, 2);
        } finally {
            Linux.close(fd);
        }
        assertEquals("he", Files.readString(file));
    }

    @Test
    void aLinkIsNotFollowedWhenThatIsAsked() throws IOException {
        Path file = Files.writeString(folder.resolve("f"), "hello");
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        assertThrows(SystemCallException.class, () -> Linux.open(link, Linux.O_RDWR | Linux.O_NOFOLLOW));
    }

    @Test
    void anErrorNamesTheFileTheCallAndTheReason() throws IOException {
        Path file = folder.resolve("f");
        int fd = Linux.open(file, Linux.O_WRONLY | Linux.O_CREAT);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(16);
            SystemCallException e = assertThrows(SystemCallException.class, () -> Linux.pread(fd, buffer, 4096));
            assertEquals(file + ": read of 16 bytes at 4096: Bad file descriptor", e.getMessage());
            assertEquals(9, e.errno());
        } finally {
            Linux.close(fd);
        }
        assertEquals("fd " + fd + ": close: Bad file descriptor",
                assertThrows(SystemCallException.class, () -> Linux.close(fd)).getMessage());
    }

    @Test
    void aFullDeviceIsEnospc() throws IOException {
        int fd = Linux.open(Path.of("/dev/full"), Linux.O_WRONLY);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(16);
            SystemCallException e = assertThrows(SystemCallException.class, () -> Linux.pwrite(fd, buffer, 0));
            assertEquals(SystemCallException.ENOSPC, e.errno());
        } finally {
            Linux.close(fd);
        }
    }

    @Test
    void aMissingFileIsTheJdksOwnException() {
        Path file = folder.resolve("missing");
        assertEquals(file + ": no such file",
                assertThrows(NoSuchFileException.class, () -> Linux.open(file, Linux.O_RDONLY)).getMessage());
    }

    @Test
    void aHeapBufferIsRefused() throws IOException {
        int fd = Linux.open(Path.of("/dev/zero"), Linux.O_RDONLY);
        try {
            assertThrows(IllegalArgumentException.class, () -> Linux.pread(fd, MemorySegment.ofArray(new byte[8]), 0));
        } finally {
            Linux.close(fd);
        }
    }

    @Test
    void findsDataAndHoles() throws IOException {
        Path file = folder.resolve("sparse");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(4 * MIB);
            sparse.seek(MIB);
            sparse.write(new byte[MIB]);
        }
        int fd = Linux.open(file, Linux.O_RDWR);
        try {
            assertEquals(MIB, Linux.seekData(fd, 0));
            assertEquals(0, Linux.seekHole(fd, 0));
            assertEquals(2 * MIB, Linux.seekHole(fd, MIB));
            assertEquals(-1, Linux.seekData(fd, 2 * MIB));
            assertEquals(-1, Linux.seekHole(fd, 4 * MIB));
            if (Linux.punchHole(fd, MIB, MIB / 2)) {
                assertEquals(MIB + MIB / 2, Linux.seekData(fd, 0));
            }
            assertEquals(4 * MIB, Linux.size(fd));
        } finally {
            Linux.close(fd);
        }
    }

    @Test
    void aLockIsHeldByOneDescriptor() throws IOException {
        Path file = folder.resolve("lock");
        int first = Linux.open(file, Linux.O_RDWR | Linux.O_CREAT);
        int second = Linux.open(file, Linux.O_RDWR);
        assertTrue(Linux.flock(first, true, false));
        assertFalse(Linux.flock(second, true, false));
        assertFalse(Linux.flock(second, false, false));
        Linux.close(first);
        assertTrue(Linux.flock(second, true, true));
        Linux.close(second);
    }

    @Test
    void dup2MakesAnotherNameOfAFile() throws IOException {
        Path file = folder.resolve("f");
        int from = Linux.open(file, Linux.O_RDWR | Linux.O_CREAT);
        int to = Linux.open(Path.of("/dev/null"), Linux.O_RDWR);
        Linux.dup2(from, to);
        Linux.close(from);
        try (Arena arena = Arena.ofConfined()) {
            Linux.pwrite(to, arena.allocate(3), 0);
        }
        Linux.close(to);
        assertEquals(3, Files.size(file));
    }

    @Test
    void aFileIsNoTerminal() throws IOException {
        int fd = Linux.open(Path.of("/dev/null"), Linux.O_RDWR);
        assertFalse(Linux.isatty(fd));
        assertEquals(0, Linux.terminalWidth(fd));
        Linux.close(fd);
    }

    @Test
    void idlePriorityIsOfTheThread() throws InterruptedException {
        boolean[] idle = new boolean[1];
        Thread thread = new Thread(() -> idle[0] = Linux.ioprioIdle());
        thread.start();
        thread.join();
        assertTrue(idle[0]);
    }

    @Test
    void adviceIsTakenEvenByAPipe() throws IOException {
        int fd = Linux.open(Path.of("/dev/zero"), Linux.O_RDONLY);
        Linux.adviseRandom(fd);
        Linux.dropCache(fd, 0, 0);
        Linux.close(fd);
        assertThrows(SystemCallException.class, () -> Linux.adviseRandom(fd));
    }

    @Test
    void aFileIsNoBlockDevice() throws IOException {
        assertFalse(Linux.isBlockDevice(folder));
        assertFalse(Linux.isBlockDevice(folder.resolve("missing")));
        assertFalse(Linux.isBlockDevice(Path.of("/dev/null")));
    }

    @Nested
    final class OnALoopDevice {
        private Path image() throws IOException {
            Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
            Path file = folder.resolve("image");
            Files.write(file, new byte[8 * MIB]);
            return file;
        }

        @Test
        void knowsSizeSectorsAndHoles() throws IOException {
            try (LoopDevice device = LoopDevice.attach(image(), "--sector-size", "4096")) {
                assertTrue(Linux.isBlockDevice(device.path()));
                int fd = Linux.open(device.path(), Linux.O_RDONLY);
                assertEquals(8 * MIB, Linux.size(fd));
                assertEquals(4096, Linux.sectorSize(fd));
                assertFalse(Linux.isReadOnly(fd));
                assertEquals(MIB, Linux.seekData(fd, MIB));
                assertEquals(8 * MIB, Linux.seekHole(fd, MIB));
                assertEquals(-1, Linux.seekData(fd, 8 * MIB));
                assertEquals(-1, Linux.seekHole(fd, 8 * MIB));
                Linux.close(fd);
            }
        }

        @Test
        void knowsThatItIsReadOnly() throws IOException {
            try (LoopDevice device = LoopDevice.attach(image(), "-r")) {
                int fd = Linux.open(device.path(), Linux.O_RDONLY);
                assertTrue(Linux.isReadOnly(fd));
                Linux.close(fd);
            }
        }

        @Test
        void directReadsOfASector() throws IOException {
            try (LoopDevice device = LoopDevice.attach(image());
                    Arena arena = Arena.ofConfined()) {
                int fd = Linux.open(device.path(), Linux.O_RDONLY | Linux.O_DIRECT);
                assertEquals(512, Linux.pread(fd, arena.allocate(512, 4096), 512));
                Linux.close(fd);
            }
        }

        @Test
        void isHeldOnce() throws IOException {
            try (LoopDevice device = LoopDevice.attach(image())) {
                int fd = Linux.open(device.path(), Linux.O_RDWR | Linux.O_EXCL);
                SystemCallException e =
                        assertThrows(SystemCallException.class, () -> Linux.open(device.path(), Linux.O_RDWR | Linux.O_EXCL));
                assertEquals(SystemCallException.EBUSY, e.errno());
                Linux.close(fd);
            }
        }

        @Test
        void zeroesSectors() throws IOException {
            Path file = image();
            byte[] ones = new byte[8 * MIB];
            Arrays.fill(ones, (byte) 1);
            Files.write(file, ones);
            try (LoopDevice device = LoopDevice.attach(file)) {
                int fd = Linux.open(device.path(), Linux.O_RDWR | Linux.O_EXCL);
                Linux.zeroOut(fd, 4096, 8192);
                if (Linux.punchHole(fd, MIB, MIB)) {
                    Arrays.fill(ones, MIB, 2 * MIB, (byte) 0);
                }
                Linux.fsync(fd);
                Linux.close(fd);
            }
            Arrays.fill(ones, 4096, 12288, (byte) 0);
            assertArrayEquals(ones, Files.readAllBytes(file));
        }
    }
}
