package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;

/// Finds out what a vault at hand holds of a volume, from its folder.
final class Stocktaking {

    private Stocktaking() {}

    /// {@return what there is; nothing if there is no manifest to go by}
    static Optional<Inventory.Stock> stock(Vault vault, Volume volume) throws IOException {
        if (!volume.exists()) {
            return Optional.empty();
        }
        List<StoredArchive> archives = volume.read().history().archives();
        if (archives.isEmpty()) {
            return Optional.empty();
        }
        List<Inventory.Held> held = archives.stream()
                .filter(StoredArchive::dataAtHand)
                .map(archive -> held(archive))
                .toList();
        return Optional.of(new Inventory.Stock(volume.name(), archives.getFirst().manifest().volumeId(), held));
    }

    private static Inventory.Held held(StoredArchive archive) {
        Manifest manifest = archive.manifest();
        return new Inventory.Held(
                manifest.baseName(),
                manifest.file().hash(),
                manifest.file().size(),
                manifest.kind(),
                manifest.sequence(),
                wholeSize(archive) ? Optional.of(new Inventory.Proof(manifest.finished(), Depth.STORED, Evidence.MEDIUM, true)) : Optional.empty());
    }

    /// whether the file has the size that it should have: nothing shorter is a copy, whatever was proved of it once
    private static boolean wholeSize(StoredArchive archive) {
        try {
            return Files.size(archive.data()) == archive.manifest().file().size();
        } catch (IOException e) {
            return false;
        }
    }
}
