package varve.archive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Header;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Images;

final class ChainReaderTest {

    private static final int TIMES = 400; // each would cost a frame's room: a MiB and more
    private static final long LITTLE = 200 << 20;

    @TempDir
    private Path folder;

    /// {@return the archives of a volume: a full, and a delta of one frame}
    private List<StoredArchive> chain() throws IOException {
        Path image = folder.resolve("image");
        for (int day = 1; day <= 2; day++) {
            Files.write(image, Images.noise(day, 1 << 20));
            Captured captured = new Captured();
            ExitCode end = Main.run(captured.stdio(0), "archive", image.toString(), "--vault", folder.resolve("vault").toString());
            assertTrue(end == ExitCode.OK, captured::err);
        }
        return Vault.open(folder.resolve("vault")).volume("image").read().sound().archives();
    }

    private static void readInVain(List<StoredArchive> path, Class<? extends IOException> expected) throws IOException {
        try (Chain chain = Chain.open(path);
                ChainReader reader = new ChainReader(chain);
                Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(chain.geometry().chunkSize(), 4096);
            assertThrows(expected, () -> reader.read(0, into));
            long before = resident();
            for (int i = 0; i < TIMES; i++) {
                assertThrows(expected, () -> reader.read(0, into));
            }
            long grown = resident() - before;
            assertTrue(grown < LITTLE, () -> "grown by " + grown);
        }
    }

    @Test
    void tablesThatAreOpenAlreadyAreUsedAndStayOpen() throws IOException {
        List<StoredArchive> path = chain();
        try (Index open = path.getFirst().openIndex()) {
            try (Chain chain = Chain.open(path, archive -> Optional.of(archive).filter(path.getFirst()::equals).map(full -> open))) {
                assertSame(open, chain.index(0));
                assertTrue(chain.index(1).nodes() > 0);
            }
            assertEquals(path.getFirst().manifest().state().size(), open.geometry().length(0, open.node(open.nodes() - 1).end()));
        }
    }

    private static long resident() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }

    @Test
    void aFrameThatIsDamagedCostsNoMemoryHoweverOftenItIsAskedFor() throws IOException {
        List<StoredArchive> path = chain();
        Damage.flip(Header.FRAME_SIZE, 1).inflictOn(path.getLast().data());
        readInVain(path, CorruptException.class);
    }

    @Test
    void aFrameThatIsAwayCostsNoMemoryHoweverOftenItIsAskedFor() throws IOException {
        List<StoredArchive> path = chain();
        Files.delete(path.getLast().data());
        readInVain(path, BrokenChainException.class);
    }
}
