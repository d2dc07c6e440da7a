package varve.archive.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The vault that a command works on: `--vault DIR`, or what the environment says.
public final class VaultOption {
    @Option(names = "--vault", paramLabel = "DIR", defaultValue = "${env:VARVE_VAULT}",
            description = "The vault: a folder that holds archives. Default: VARVE_VAULT in the environment.")
    private @Nullable Path folder;

    /// @throws UsageException if no vault was named
    public Path folder() {
        if (folder == null || folder.toString().isEmpty()) {
            throw new UsageException("which vault? give --vault DIR, or set VARVE_VAULT");
        }
        return folder;
    }
}
