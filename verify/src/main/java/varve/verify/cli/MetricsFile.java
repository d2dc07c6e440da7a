package varve.verify.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import varve.archive.file.Folder;

/// A file that another process may read at any time: it sees the old content or the new.
final class MetricsFile {

    private MetricsFile() {}

    static void replace(Path file, byte[] content) throws IOException {
        // the collector reads all files that end with .prom
        Path draft = Files.createTempFile(file.toAbsolutePath().getParent(), ".varve-status", ".draft");
        try {
            Folder.write(draft, content);
            Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-r--r--"));
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(draft);
        }
    }
}
