package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Images;

/// A consolidation that first reads all of the source.
class ProvedConsolidationTest {

    @TempDir
    Path folder;

    private Captured captured = new Captured();
    private Path image;

    @BeforeEach
    void threePoints() throws Exception {
        image = folder.resolve("tools.img");
        byte[] content = Images.mixed(3, 1 << 20);
        for (int day = 0; day < 3; day++) {
            content[day * 100_000] ^= 1;
            Files.deleteIfExists(image);
            Images.write(content, image);
            assertEquals(ExitCode.OK, varve("archive", image));
        }
    }

    private ExitCode varve(Object... words) {
        captured = new Captured();
        List<String> line = new ArrayList<>(Arrays.stream(words).map(Object::toString).toList());
        line.addAll(List.of("--vault", folder.resolve("vault").toString()));
        return Main.run(captured.stdio(0), line.toArray(String[]::new));
    }

    private long archives() throws Exception {
        try (var files = Files.list(folder.resolve("vault/tools"))) {
            return files.filter(file -> file.toString().endsWith(".zst")).count();
        }
    }

    @Test
    void aSourceThatIsWhatThePointSaysIsProof() throws Exception {
        assertEquals(ExitCode.OK, varve("consolidate", "tools", "--from", "-2", "--prove", image), captured.err());
        assertTrue(captured.err().contains("proved: all of " + image), captured.err());
        assertEquals(4, archives());
    }

    @Test
    void aSourceThatIsNotEndsItBeforeAnythingIsWritten() throws Exception {
        byte[] content = Files.readAllBytes(image);
        content[777_777] ^= 1;
        Files.write(image, content);
        assertEquals(ExitCode.REFUSED, varve("consolidate", "tools", "--from", "-2", "--prove", image));
        assertTrue(captured.err().contains(image + ": is not what tools@"), captured.err());
        assertEquals(3, archives());
    }

    @Test
    void whereNoSnapshotIsKeptThatIsSaid() throws Exception {
        assertEquals(ExitCode.REFUSED, varve("consolidate", "tools", "--from", "-2", "--prove", "kept"));
        assertTrue(captured.err().contains("no snapshot of that name is kept"), captured.err());
        assertEquals(3, archives());
    }
}
