package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.hash.Hash;
import varve.archive.sign.UntrustedException;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Inventory;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// What one vault holds of a volume, and what others have that is needed to make sense of it.
///
/// A vault is proved by its own files alone. But what a delta applies to may lie in another vault that is at hand, and what was
/// evicted here is no loss while others are known to hold it.
///
/// @param vault that is looked at
/// @param volume in it
/// @param own what its folder holds
/// @param history of the volume in all vaults at hand; each archive in the folder from which it is read: here, if it is here
/// @param elsewhere data files that vaults which are not at hand are known to hold, proved, by their hashes
/// @param setBack what is wrong with the signed head here, if a newer one was seen
record Holdings(
        Vault vault, Volume volume, Volume.Content own, History history, Set<Hash> elsewhere, Optional<UntrustedException> setBack) {

    /// Looks into the vaults.
    ///
    /// @param others more vaults at hand
    static Holdings of(Vault vault, List<Vault> others, String name, Catalogue catalogue) throws IOException {
        Volume volume = vault.volume(name);
        Volume.Content own = volume.read();
        List<Volume> volumes = new ArrayList<>(List.of(volume));
        for (Vault other : others) {
            if (!other.id().equals(vault.id())) {
                volumes.add(other.volume(name));
            }
        }
        History all = volumes.size() == 1 ? own.history() : Volume.together(volumes).history();
        Set<String> here = new HashSet<>();
        own.history().archives().forEach(archive -> here.add(archive.manifest().baseName()));
        List<StoredArchive> archives = new ArrayList<>();
        for (StoredArchive archive : all.archives()) {
            Path data = archive.data().getParent();
            boolean away = here.contains(archive.manifest().baseName()) && !Files.exists(archive.data());
            archives.add(new StoredArchive(away ? volume.folder() : data, archive.manifest(), archive.keys()));
        }
        return new Holdings(vault, volume, own, new History(archives), elsewhere(name, catalogue), catalogue.setBack(vault.id(), name));
    }

    private static Set<Hash> elsewhere(String name, Catalogue catalogue) {
        Set<Hash> hashes = new HashSet<>();
        catalogue.stocksAway(name).forEach((id, stock) -> {
            if (catalogue.standing(id).counts()) {
                stock.archives().stream().filter(Inventory.Held::proved).forEach(held -> hashes.add(held.fileHash()));
            }
        });
        return hashes;
    }

    /// {@return whether the data file is here, or should be}
    boolean ours(StoredArchive archive) {
        return archive.folder().equals(volume.folder());
    }

    /// {@return whether the data file is in this vault}
    boolean here(StoredArchive archive) {
        return ours(archive) && archive.dataAtHand();
    }

    /// {@return whether a data file that is not at hand is known to be in another vault}
    boolean elsewhere(StoredArchive archive) {
        return elsewhere.contains(archive.manifest().file().hash());
    }

    /// {@return the points in time that have a manifest in this vault}
    List<Point> points() {
        Set<Long> numbers = new LinkedHashSet<>();
        own.history().archives().forEach(archive -> numbers.add(archive.manifest().sequence()));
        return history.points().stream().filter(point -> numbers.contains(point.manifest().sequence())).toList();
    }

    /// {@return the archives that have a manifest in this vault}
    List<StoredArchive> archives() {
        Set<String> here = new HashSet<>();
        own.history().archives().forEach(archive -> here.add(archive.manifest().baseName()));
        return history.archives().stream().filter(archive -> here.contains(archive.manifest().baseName())).toList();
    }
}
