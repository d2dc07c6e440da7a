package varve.archive.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.format.Manifest;
import varve.archive.hash.SubtreeHasher;
import varve.testdata.Images;

class ManyGroupsTest {

    @TempDir
    Path folder;

    /// The last bytes come right after a group for which there was no room until a moment ago.
    @Test
    void aFileOfMoreGroupsThanThereIsRoomForIsWrittenToItsEnd() throws Exception {
        byte[] content = Images.noise(1, (8 << 20) + 10_000);
        Manifest.Digest expected = new Manifest.Digest(content.length, new SubtreeHasher().whole(MemorySegment.ofArray(content)));
        for (int round = 0; round < 30; round++) {
            Path file = folder.resolve("data" + round);
            try (RowFile tree = new RowFile(folder.resolve("tree" + round), 4096);
                    StageFile stage = new StageFile(file, tree)) {
                stage.append(MemorySegment.ofArray(content));
                assertEquals(expected, stage.finish());
            }
            assertArrayEquals(content, Files.readAllBytes(file));
            Files.delete(file);
        }
    }
}
