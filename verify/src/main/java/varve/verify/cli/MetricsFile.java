package varve.verify.cli;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import varve.archive.block.RefusedException;
import varve.archive.file.Folder;

/// A file that another process may read at any time: it sees the old content or the new.
final class MetricsFile {

    private MetricsFile() {}

    /// @param file if it is a link, what that leads to
    /// @throws RefusedException if something is there that is no file, such as `/dev/null`, whose name a new file would take
    static void replace(Path file, byte[] content) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new RefusedException(file.toAbsolutePath() + ": no regular file: metrics are not written there");
        }
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        try {
            // the collector reads all files that end with .prom
            Path draft = Files.createTempFile(target.getParent(), ".varve-status", ".draft");
            try {
                Folder.write(draft, content);
                Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-r--r--"));
                Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(draft);
            }
        } catch (IOException e) {
            throw new IOException(file.toAbsolutePath() + ": cannot write metrics: " + reason(e), e);
        }
    }

    /// {@return why, without the name of the draft}
    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "there is no such folder";
            case FileSystemException failure when failure.getReason() != null -> failure.getReason();
            default -> String.valueOf((e.getCause() == null ? e : e.getCause()).getMessage());
        };
    }
}
