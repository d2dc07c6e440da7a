package varve.archive.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Option;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;

/// The vaults that a command works on: `--vault DIR`, once or more, or what the environment says.
public final class VaultsOption {
    @Option(names = "--vault", paramLabel = "DIR", defaultValue = "${env:VARVE_VAULT}",
            description = "A vault at hand: a folder, LABEL=DIR if it has to be the one that is called so, or, after the first, the LABEL of one that is where it "
                    + "was last seen. May be given several times. Default: VARVE_VAULT in the environment.")
    private List<String> names = new ArrayList<>();

    /// {@return whether any vault was named}
    boolean named() {
        return names.stream().anyMatch(name -> !name.isEmpty());
    }

    /// Opens them: each may be named by what those before it know.
    ///
    /// @throws UsageException if no vault was named
    public List<Vault> open(Consumer<String> warnings) throws IOException {
        List<Vault> vaults = new ArrayList<>();
        for (String name : names) {
            if (!name.isEmpty()) {
                VaultName parsed = VaultName.parse(name);
                Vault vault = vaults.isEmpty() ? parsed.open() : parsed.open(Catalogue.open(vaults, warnings));
                if (vaults.stream().noneMatch(known -> known.id().equals(vault.id()))) {
                    vaults.add(vault);
                }
            }
        }
        if (vaults.isEmpty()) {
            throw new UsageException("which vault? give --vault DIR, or set VARVE_VAULT");
        }
        return vaults;
    }
}
