package varve.archive.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;

/// The vault that a command works on: `--vault DIR`, or what the environment says.
public final class VaultOption {
    @Option(names = "--vault", paramLabel = "DIR", defaultValue = "${env:VARVE_VAULT}",
            description = "The vault: a folder that holds archives; LABEL=DIR if it has to be the one that is called so. Default: VARVE_VAULT in the environment.")
    private @Nullable String name;

    /// @throws UsageException if no vault was named
    public VaultName name() {
        if (name == null || name.isEmpty()) {
            throw new UsageException("which vault? give --vault DIR, or set VARVE_VAULT");
        }
        return VaultName.parse(name);
    }

    /// {@return where it is, or is to be}
    /// @throws UsageException if no vault was named
    public Path folder() {
        return name().place();
    }

    /// Opens it.
    ///
    /// @throws UsageException if no vault was named
    public Vault open() throws IOException {
        return name().open();
    }
}
