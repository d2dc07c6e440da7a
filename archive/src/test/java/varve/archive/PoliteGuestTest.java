package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;
import varve.testdata.Images;
import varve.testdata.LoopDevice;
import varve.testdata.VarveProcess;

/// Archiving leaves the page cache, the disk's bandwidth and the processors to others.
class PoliteGuestTest {

    private static final int MIB = 1 << 20;
    private static final int PAGE = 4096;
    private static final int SIZE = 24 * MIB + 3 * PAGE;

    @TempDir
    Path folder;

    private Path image;
    private Path vault;

    @BeforeEach
    void make() throws IOException {
        image = folder.resolve("device.img");
        vault = folder.resolve("vault");
        Files.write(image, Images.noise(1, SIZE));
        evict(image);
        Assumptions.assumeTrue(cached(image).isEmpty(), "this file system keeps what it is told to drop");
    }

    private void archive(Path source) throws Exception {
        VarveProcess.run("archive", source, "--vault", vault, "--volume", "tools", "--threads", "3").expect(0);
    }

    @Test
    void whatWasNotCachedIsNotAfterwards() throws Exception {
        archive(image);
        assertEquals(new BitSet(), cached(image));
        archive(image); // a delta
        assertEquals(new BitSet(), cached(image));
    }

    @Test
    void whatWasCachedStays() throws Exception {
        readPages(image, 0, SIZE / PAGE);
        BitSet before = cached(image);
        archive(image);
        assertKept(before, image);
    }

    /// Pages that others read here and there, down to every second one.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 100, 1000})
    void pagesOfOthersStayAmongOurs(int distance) throws Exception {
        for (int page = 0; page < SIZE / PAGE; page += distance) {
            readPages(image, page, page + 1);
        }
        BitSet before = cached(image);
        Assumptions.assumeTrue(before.cardinality() == (SIZE / PAGE + distance - 1) / distance,
                "this file system reads more than it is asked for");
        archive(image);
        assertKept(before, image);
        assertTrue(cached(image).cardinality() < before.cardinality() + 64, "pages of ours that are left");
    }

    @Test
    void otherFilesStay() throws Exception {
        Path other = folder.resolve("other");
        Files.write(other, Images.noise(2, 8 * MIB));
        readPages(other, 0, 8 * MIB / PAGE);
        BitSet before = cached(other);
        archive(image);
        assertKept(before, other);
    }

    @Test
    void theArchiveItselfIsNotLeftInThePageCache() throws Exception {
        archive(image);
        try (Stream<Path> files = Files.list(vault.resolve("tools"))) {
            Path data = files.filter(file -> file.toString().endsWith(".zst")).findFirst().orElseThrow();
            Assumptions.assumeTrue(Files.getFileStore(data).type().matches("ext4|xfs|btrfs"), "needs direct I/O");
            assertTrue(cached(data).cardinality() < 64, () -> "pages of the archive: " + cached(data).cardinality());
        }
    }

    @Test
    void aDeviceIsReadAsPolitely() throws Exception {
        Assumptions.assumeTrue(LoopDevice.available(), "needs root and /dev/loop-control");
        try (LoopDevice loop = LoopDevice.attach(image)) {
            evict(loop.path());
            readPages(loop.path(), 100, 200);
            BitSet before = cached(loop.path());
            archive(loop.path());
            BitSet after = cached(loop.path());
            assertTrue(after.cardinality() < before.cardinality() + 64, () -> "left in the page cache: " + after.cardinality());
            assertKept(before, loop.path());
        }
    }

    /// The only place where a test looks at the time: there is no upper bound.
    @Test
    void aLimitedRunTakesTheTimeItShould() throws Exception {
        long start = System.nanoTime();
        VarveProcess.run("archive", image, "--vault", vault, "--volume", "tools", "--bwlimit", "20M").expect(0);
        assertTrue(System.nanoTime() - start >= SIZE * 1_000_000_000L / (20 * MIB));
        start = System.nanoTime();
        VarveProcess.run("archive", image, "--vault", vault, "--volume", "tools", "--bwlimit", "20M").expect(0); // a delta
        assertTrue(System.nanoTime() - start >= SIZE * 1_000_000_000L / (20 * MIB));
    }

    @Test
    void anIdleRunGivesTheSame() throws Exception {
        VarveProcess.run("archive", image, "--vault", vault, "--volume", "tools", "--idle").expect(0);
        VolumeSubject volume = new VolumeSubject(vault, "tools");
        volume.look(Files.readAllBytes(image));
    }

    // ---- the page cache

    /// the kernel may drop a page or two for reasons of its own
    private static void assertKept(BitSet before, Path path) {
        BitSet lost = (BitSet) before.clone();
        lost.andNot(cached(path));
        assertTrue(lost.cardinality() <= before.cardinality() / 64, () ->
                "pages of others that are gone: " + lost.cardinality() + " of " + before.cardinality());
    }

    private static void evict(Path path) throws IOException {
        int fd = Linux.open(path, Linux.O_RDONLY);
        try {
            Linux.fsync(fd);
            Linux.dropCache(fd, 0, 0);
        } finally {
            Linux.close(fd);
        }
    }

    private static void readPages(Path path, int from, int to) throws IOException {
        int fd = Linux.open(path, Linux.O_RDONLY);
        try (Arena arena = Arena.ofConfined()) {
            Linux.adviseRandom(fd);
            MemorySegment page = arena.allocate(PAGE);
            for (int i = from; i < to; i++) {
                Linux.pread(fd, page, (long) i * PAGE);
            }
        } finally {
            Linux.close(fd);
        }
    }

    /// {@return the numbers of the pages that are cached}
    private static BitSet cached(Path path) {
        BitSet pages = new BitSet();
        try {
            int fd = Linux.open(path, Linux.O_RDONLY);
            try {
                long size = Linux.size(fd);
                pages.set(0, (int) ((size + PAGE - 1) / PAGE));
                try (Residency residency = new Residency(fd, size)) {
                    residency.missing(0, size, (offset, length) ->
                            pages.clear((int) (offset / PAGE), (int) ((offset + length + PAGE - 1) / PAGE)));
                }
            } finally {
                Linux.close(fd);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return pages;
    }
}
