package varve.archive.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.LoopDevice;

final class ResidencyTest {
    private static final int PAGE = 4096;

    @TempDir
    Path folder;

    @Test
    void reportsThePagesThatAreNotCached() throws IOException {
        int pages = 1000;
        int size = pages * PAGE - 100;
        Path file = folder.resolve("f");
        Files.write(file, new byte[size]);
        check(file, size, pages);
    }

    @Test
    void reportsThePagesOfADevice() throws IOException {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        int pages = 1000;
        Path file = folder.resolve("image");
        Files.write(file, new byte[pages * PAGE]);
        try (LoopDevice device = LoopDevice.attach(file)) {
            check(device.path(), pages * PAGE, pages);
        }
    }

    private static void check(Path path, int size, int pages) throws IOException {
        int fd = Linux.open(path, Linux.O_RDONLY);
        try (Residency residency = new Residency(fd, size);
                Arena arena = Arena.ofConfined()) {
            Linux.fsync(fd);
            Linux.adviseRandom(fd); // no read-ahead
            Linux.dropCache(fd, 0, 0);
            Assumptions.assumeTrue(missing(residency, 0, size).equals(List.of(range(0, size))),
                    "this file system keeps what it is told to drop");
            Linux.pread(fd, arena.allocate(PAGE), 10 * PAGE);
            Linux.pread(fd, arena.allocate(2 * PAGE), 500 * PAGE);
            assertEquals(List.of(range(0, 10 * PAGE), range(11 * PAGE, 489 * PAGE), range(502 * PAGE, size - 502 * PAGE)),
                    missing(residency, 0, size));
            assertEquals(List.of(), missing(residency, 10 * PAGE + 1, 100));
            assertEquals(List.of(range(9 * PAGE + 7, PAGE - 7), range(11 * PAGE, 3)),
                    missing(residency, 9 * PAGE + 7, 2 * PAGE - 4));
            assertEquals(3, missing(residency, 0, Integer.MAX_VALUE).size());
        } finally {
            Linux.close(fd);
        }
    }

    @Test
    void anEmptyFileMissesNothing() throws IOException {
        Path file = folder.resolve("empty");
        Files.createFile(file);
        int fd = Linux.open(file, Linux.O_RDONLY);
        try (Residency residency = new Residency(fd, 0)) {
            assertEquals(List.of(), missing(residency, 0, 0));
        } finally {
            Linux.close(fd);
        }
    }

    @Test
    void askingAcrossWindowsJoinsRuns() throws IOException {
        Path file = folder.resolve("sparse");
        long size = 300L << 20;
        int fd = Linux.open(file, Linux.O_RDWR | Linux.O_CREAT);
        try (Residency residency = new Residency(fd, size);
                Arena arena = Arena.ofConfined()) {
            Linux.pwrite(fd, arena.allocate(1), size - 1);
            Linux.fsync(fd);
            Linux.adviseRandom(fd);
            List<String> missing = missing(residency, 0, size);
            assertEquals(1, missing.size(), missing::toString);
        } finally {
            Linux.close(fd);
        }
    }

    private static List<String> missing(Residency residency, long offset, long size) throws IOException {
        List<String> ranges = new ArrayList<>();
        residency.missing(offset, size, (o, s) -> ranges.add(range(o, s)));
        return ranges;
    }

    private static String range(long offset, long size) {
        return offset + "+" + size;
    }
}
