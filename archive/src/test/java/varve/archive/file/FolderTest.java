package varve.archive.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.block.DeviceException;
import varve.testdata.Tools;

class FolderTest {

    @TempDir
    Path folder;

    @Test
    void aFileIsReplacedAndWhatIsNoFileIsNot() throws IOException {
        Path file = folder.resolve("file");
        Folder.replace(file, new byte[] {1});
        Folder.replace(file, new byte[] {2});
        assertArrayEquals(new byte[] {2}, Folder.read(file, 10));
        Path pipe = folder.resolve("pipe");
        Tools.run("mkfifo", pipe).orElseThrow().expectSuccess();
        for (Path other : List.of(pipe, Files.createDirectory(folder.resolve("folder")))) {
            assertThrows(DeviceException.class, () -> Folder.replace(other, new byte[] {3}));
            assertThrows(DeviceException.class, () -> Folder.read(other, 10)); // and is not waited for
            assertTrue(Files.exists(other));
            assertFalse(Files.isRegularFile(other));
        }
        assertThrows(NoSuchFileException.class, () -> Folder.read(folder.resolve("none"), 10));
        try (Stream<Path> content = Files.list(folder)) {
            assertEquals(List.of("file", "folder", "pipe"), content.map(path -> path.getFileName().toString()).sorted().toList());
        }
    }
}
