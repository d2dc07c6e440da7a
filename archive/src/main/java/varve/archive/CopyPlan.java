package varve.archive;

import java.util.List;
import java.util.UUID;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Vault;

/// What a copy will bring, found out before anything is written.
///
/// @param volume its name
/// @param target where to
/// @param items to be brought, each after what it applies to
/// @param reached points in time that can be restored there when they have been
/// @param already how many of these could be before
/// @param unfit wanted points for which the target has no room
/// @param missing what else is needed for wanted points, and is not here
/// @param needed bytes for all that is wanted
/// @param free bytes at the target
public record CopyPlan(
        String volume,
        Vault target,
        List<Item> items,
        List<Point> reached,
        int already,
        List<Point> unfit,
        List<Missing> missing,
        long needed,
        long free) {

    /// An archive to be brought.
    ///
    /// @param staged bytes that an interrupted run has left of it
    /// @param there whether the target has a data file of this name that is not known to be good
    public record Item(StoredArchive archive, long staged, boolean there) {

        public long size() {
            return archive.manifest().file().size();
        }
    }

    /// An archive that is needed and not here.
    ///
    /// @param holders vaults that hold it, as far as is known
    public record Missing(StoredArchive archive, List<UUID> holders) {}

    /// {@return bytes of the data files to be brought}
    public long size() {
        return items.stream().mapToLong(Item::size).sum();
    }

    /// {@return whether all that is wanted is there in the end}
    public boolean complete() {
        return unfit.isEmpty() && missing.isEmpty();
    }
}
