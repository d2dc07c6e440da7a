package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;

/// Finds out what a vault at hand holds of a volume: from its folder, and from the receipts of what was proved there.
public final class Stocktaking {

    private static final int MANY = 64; // so many files are looked at by several threads

    private Stocktaking() {}

    /// {@return what there is; nothing if there is no manifest to go by}
    static Optional<Inventory.Stock> stock(Vault vault, Volume volume) throws IOException {
        if (!volume.exists()) {
            return Optional.empty();
        }
        Optional<Inventory.SeenHead> head = Signatures.of(volume).head().map(Inventory.SeenHead::of);
        return stock(vault, volume, volume.read().history().archives(), new Receipts(volume).read().receipts(), Instant.now())
                .map(stock -> stock.remembering(head));
    }

    /// {@return what there is, from what was read before; nothing if there is no manifest to go by}
    ///
    /// @param archives that have a manifest in the folder of the volume
    /// @param receipts of the volume in the vault
    /// @param now receipts of a later time do not count
    public static Optional<Inventory.Stock> stock(
            Vault vault, Volume volume, List<StoredArchive> archives, List<Receipt> receipts, Instant now) {
        if (archives.isEmpty()) {
            return Optional.empty();
        }
        Proofs proofs = Proofs.of(vault.id(), receipts, now);
        List<Inventory.Held> held = (archives.size() < MANY ? archives.stream() : archives.parallelStream())
                .flatMap(archive -> held(archive, proofs).stream())
                .toList();
        return Optional.of(new Inventory.Stock(volume.name(), archives.getFirst().manifest().volumeId(), held));
    }

    /// {@return nothing if the data file is not at hand}
    private static Optional<Inventory.Held> held(StoredArchive archive, Proofs proofs) {
        Manifest manifest = archive.manifest();
        boolean wholeSize; // nothing shorter is a copy, whatever was proved of it once
        try {
            wholeSize = Files.size(archive.data()) == manifest.file().size();
        } catch (IOException e) {
            if (!archive.dataAtHand()) {
                return Optional.empty();
            }
            wholeSize = false;
        }
        return Optional.of(new Inventory.Held(
                manifest.baseName(),
                manifest.file().hash(),
                manifest.file().size(),
                manifest.kind(),
                manifest.sequence(),
                wholeSize ? proof(manifest, proofs) : Optional.empty()));
    }

    private static Optional<Inventory.Proof> proof(Manifest manifest, Proofs proofs) {
        Proofs.Last last = proofs.last(manifest);
        Optional<Instant> time = last.damaged() == 0 ? last.time() : proofs.pieces(manifest).stream()
                .filter(piece -> !piece.good())
                .flatMap(piece -> piece.time().stream())
                .max(Comparator.naturalOrder());
        return time.map(when -> new Inventory.Proof(when, last.depth(), last.evidence(), last.damaged() == 0));
    }
}
