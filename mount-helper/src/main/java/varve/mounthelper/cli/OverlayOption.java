package varve.mounthelper.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.block.RefusedException;
import varve.archive.vault.Vault;

/// The file that what is written to a point in time goes to: `--writable OVERLAY`.
final class OverlayOption {

    @Option(names = "--writable", paramLabel = "OVERLAY",
            description = "Let the one VOLUME@POINT be written: to this file, in front of it. It is made if it is not there; what was flushed to it is there "
                    + "when it is used again. The archive is never written.")
    private @Nullable Path file;

    Optional<Path> file() {
        return Optional.ofNullable(file);
    }

    /// Makes sure that the file may lie where it is to.
    void checkPlace(List<Vault> vaults) throws IOException {
        if (file == null) {
            return;
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new NoSuchFileException(file.toString(), null, "no such file, and no folder " + folder + " to make it in");
        }
        for (Vault vault : vaults) {
            if (folder.toRealPath().startsWith(vault.folder().toRealPath())) {
                throw new RefusedException(file + ": in the vault " + vault.folder() + ", where nothing but archives belongs; name another place");
            }
        }
    }
}
