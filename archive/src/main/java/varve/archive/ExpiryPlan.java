package varve.archive;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.retention.Retention;

/// What an expiry is going to do: which points in time stay and why, which go, which archives are folded into one for that,
/// and which are removed.
///
/// The archives are edges between states of the device. Of the paths that lead to the kept points, those are chosen that
/// take the least room. On them some states have to stay: those of kept points, those after a full, and those where
/// paths part. A stretch of several archives between two of these becomes one archive, and what is on no path goes.
///
/// Nothing that leads to a point which cannot be restored now goes: some other copy may bring it back.
///
/// Where another vault holds an archive that goes here, its manifest and tables stay, as after an eviction: the catalogue goes on saying
/// what is there.
///
/// @param policy that decides
/// @param fates of all points, by number
/// @param folds stretches that become one archive
/// @param noted kept points that get an archive which says that their state is that of another: what they had leads from a state that goes
/// @param removed archives whose data goes in the end
/// @param forgotten archives whose manifests go, too: no other vault is known to hold them
/// @param left why some of what could go stays
public record ExpiryPlan(
        Retention policy,
        List<Fate> fates,
        List<Fold> folds,
        List<Point> noted,
        List<StoredArchive> removed,
        List<StoredArchive> forgotten,
        List<String> left) {

    /// What becomes of a point in time.
    ///
    /// @param kept whether it is one of those that have to be kept, and not only in use by others
    /// @param why it stays; nothing if it goes
    public record Fate(Point point, boolean kept, List<String> why) {

        public boolean stays() {
            return !why.isEmpty();
        }

        public long number() {
            return point.manifest().sequence();
        }
    }

    /// A stretch of deltas that becomes one.
    ///
    /// @param before the archives that lead to where it begins, full first
    /// @param archives in order
    /// @param to point that the new archive carries
    public record Fold(List<StoredArchive> before, List<StoredArchive> archives, Point to) {

        /// {@return bytes to read, and the most that the new archive takes}
        public long size() {
            return ExpiryPlan.size(archives);
        }
    }

    /// {@return bytes of data files that are read}
    public long readSize() {
        return folds.stream().mapToLong(Fold::size).sum();
    }

    /// {@return bytes that the removed archives take here}
    public long removedSize() {
        return size(removed);
    }

    /// {@return the points of which nothing is left in the vault}
    public List<Point> expired() {
        Set<StoredArchive> gone = Set.copyOf(forgotten);
        return fates.stream().filter(fate -> !fate.stays()).map(Fate::point).filter(point -> gone.containsAll(point.archives())).toList();
    }

    /// {@return the points that have to be kept}
    public List<Point> kept() {
        return fates.stream().filter(Fate::kept).map(Fate::point).toList();
    }

    private static long size(Collection<StoredArchive> archives) {
        return archives.stream().mapToLong(archive -> archive.manifest().file().size()).sum();
    }
}
