package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/// What a user calls a vault at hand.
///
/// | name | means |
/// |---|---|
/// | `/mnt/disk`, `vaults/home` | the vault in that folder, whichever it is |
/// | `monday=/mnt/disk` | the vault in that folder, if that is monday |
/// | `monday` | the vault that is called so, where the catalogue last saw it, if it is there now |
///
/// Instead of a label the first digits of the id do.
///
/// @param label who it has to be
/// @param folder where it is
public record VaultName(Optional<String> label, Optional<Path> folder) {

    public static VaultName parse(String text) {
        int equals = text.indexOf('=');
        if (equals > 0 && !text.substring(0, equals).contains("/")) {
            return new VaultName(Optional.of(text.substring(0, equals)), Optional.of(Path.of(text.substring(equals + 1))));
        }
        return text.contains("/") || Files.exists(Path.of(text))
                ? new VaultName(Optional.empty(), Optional.of(Path.of(text)))
                : new VaultName(Optional.of(text), Optional.empty());
    }

    /// {@return the folder; without a catalogue a word that is no folder yet can only be meant to be one}
    public Path place() {
        return folder.orElseGet(() -> Path.of(label.orElseThrow()));
    }

    /// Opens the vault in the folder.
    ///
    /// @throws NotFoundException if there is none, or another
    public Vault open() throws IOException {
        Vault vault = Vault.open(place());
        if (folder.isPresent() && label.isPresent() && !isCalled(vault, label.get())) {
            throw new NotFoundException(vault.folder() + ": holds vault " + vault.name() + " (" + vault.id() + "), expected " + label.get()
                    + "; is another disk mounted there?");
        }
        return vault;
    }

    private static boolean isCalled(Vault vault, String name) {
        return vault.standing().label().equals(Optional.of(name)) || (name.matches("[0-9a-f-]{4,36}") && vault.id().toString().startsWith(name));
    }

    /// Opens the vault in the folder, or, if there is only a label, where the catalogue last saw it.
    ///
    /// @throws NotFoundException if it is not there
    public Vault open(Catalogue catalogue) throws IOException {
        if (folder.isPresent()) {
            return open();
        }
        UUID id = catalogue.find(label.orElseThrow());
        if (catalogue.atHand(id).isPresent()) {
            return catalogue.atHand(id).get();
        }
        Optional<Path> last = catalogue.seen(id).flatMap(Inventory.Other::folder).map(Path::of);
        Vault there;
        try {
            there = Vault.open(last.orElseThrow(() -> new NotFoundException("it was never at hand")));
        } catch (NotFoundException e) {
            throw new NotFoundException("vault " + catalogue.describe(id) + ": not at hand: " + e.getMessage());
        }
        if (!there.id().equals(id)) {
            throw new NotFoundException("vault " + catalogue.describe(id) + ": not at hand: " + there.folder() + " holds vault " + there.name()
                    + " now; bring the disk, or say where it is: " + label.get() + "=DIR");
        }
        return there;
    }
}
