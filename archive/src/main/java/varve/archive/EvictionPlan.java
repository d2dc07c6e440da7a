package varve.archive;

import java.util.List;
import java.util.Set;
import java.util.UUID;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Vault;

/// Which data files a vault can do without, found out before anything is removed.
///
/// @param vault that they are in
/// @param volume its name
/// @param minCopies that have to be elsewhere
/// @param evicted to be removed
/// @param kept to stay, for want of copies
public record EvictionPlan(Vault vault, String volume, int minCopies, List<Item> evicted, List<Item> kept) {

    /// A data file in the vault.
    ///
    /// @param elsewhere other vaults that hold a proved copy and are relied on
    public record Item(StoredArchive archive, Set<UUID> elsewhere) {

        public long size() {
            return archive.manifest().file().size();
        }
    }

    /// {@return bytes of the data files that are removed}
    public long size() {
        return evicted.stream().mapToLong(Item::size).sum();
    }
}
