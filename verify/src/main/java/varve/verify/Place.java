package varve.verify;

import java.nio.file.Path;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// The folder of a volume in one of several vaults; it need not exist.
record Place(Vault home, Volume volume) {

    /// {@return what the vault is called in reports}
    String vault() {
        return "vault " + home.folder();
    }

    Path folder() {
        return volume.folder();
    }

    Path file(String base, String extension) {
        return folder().resolve(base + "." + extension);
    }
}
