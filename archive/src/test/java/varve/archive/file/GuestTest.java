package varve.archive.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver;
import varve.archive.block.FileDevice;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// Reading an archive leaves the page cache as it was.
final class GuestTest {
    private static final int SIZE = 8 << 20;

    @TempDir
    Path folder;

    private FoundPoint point;
    private Path data;

    @BeforeEach
    void archive() throws Exception {
        byte[] image = new byte[SIZE];
        new Random(1).nextBytes(image);
        Path source = Files.write(folder.resolve("source"), image);
        Vault vault = Vault.openOrCreate(folder.resolve("vault"));
        try (FileDevice device = FileDevice.open(source)) {
            new Archiver(vault, "tools", ArchiveOptions.defaults(), InstantSource.system(), bytes -> {}, warning -> {})
                    .archive(device, Duration.ZERO);
        }
        point = FoundPoint.find(vault, PointName.parse("tools"));
        data = point.point().archive().data();
    }

    private void readAll() throws IOException {
        try (Chain chain = Chain.open(point.path()); ChainReader reader = new ChainReader(chain); Arena arena = Arena.ofConfined()) {
            for (long chunk = 0; chunk < chain.geometry().chunks(); chunk++) {
                reader.read(chunk, arena.allocate(chain.geometry().length(chunk, 1), 4096));
            }
        }
    }

    private long cached() throws IOException {
        int fd = Linux.open(data, Linux.O_RDONLY);
        try (Residency residency = new Residency(fd, Files.size(data))) {
            long[] missing = {0};
            residency.missing(0, Files.size(data), (offset, length) -> missing[0] += length);
            return Files.size(data) - missing[0];
        } finally {
            Linux.close(fd);
        }
    }

    private void evict() throws IOException {
        int fd = Linux.open(data, Linux.O_RDONLY);
        Linux.fsync(fd);
        Linux.dropCache(fd, 0, 0);
        Linux.close(fd);
    }

    @Test
    void aFileThatWasNotCachedIsNotLeftThere() throws IOException {
        evict();
        assertEquals(0, cached());
        readAll();
        assertTrue(cached() < 1 << 20, this::cachedText);
    }

    @Test
    void aFileThatWasCachedStays() throws IOException {
        Files.readAllBytes(data);
        assertEquals(Files.size(data), cached());
        readAll();
        assertTrue(cached() > Files.size(data) - (1 << 20), this::cachedText); // the kernel may take a page or two
    }

    private String cachedText() {
        try {
            return cached() + " bytes cached";
        } catch (IOException e) {
            return e.toString();
        }
    }
}
