package varve.verify.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import varve.archive.partition.Partition;
import varve.archive.vault.Ranges;

/// Where a point in time and the outside differ, as far as the outside tells, and what that means.
///
/// @param outside what was compared with
/// @param sourceSize of the device outside, or -1 if the outside does not say
/// @param size of the device as it was recorded
/// @param compared bytes of the device as recorded that were compared
/// @param changed where the outside differs and the archive is not known to be wrong
/// @param damaged where the archive cannot give the bytes that it recorded
/// @param located whether the outside tells where it differs; else all of it may
/// @param archiveRead whether the archive's bytes were read and proved wherever the two differ
/// @param partitions what of the differences lies in which partition
/// @param files paths of the files in whose blocks they lie, as far as they could be found out
public record Differences(
        Outside outside,
        long sourceSize,
        long size,
        long compared,
        Found changed,
        Found damaged,
        boolean located,
        boolean archiveRead,
        List<InPartition> partitions,
        List<Affected> files) {

    /// Differences of one kind.
    ///
    /// @param count how many places there are
    /// @param bytes in all of them
    /// @param first offset of the first byte
    /// @param last offset of the last byte
    /// @param places the first ones
    public record Found(long count, long bytes, long first, long last, List<Ranges.Range> places) {

        static Found of(Extents extents) {
            return new Found(extents.count(), extents.size(), extents.first(), extents.last(), List.copyOf(extents.list()));
        }

        public boolean none() {
            return count == 0;
        }
    }

    /// What of the differences lies in a partition.
    public record InPartition(Partition partition, long count, long bytes, long first, long last) {}

    /// Files of a file system that differences lie in.
    ///
    /// @param partition empty if the device has no partitions
    /// @param paths in the file system
    /// @param elsewhere blocks that differ and belong to no file: free, or of the file system itself
    /// @param note what was not looked at, or why nothing was
    public record Affected(Optional<Partition> partition, List<String> paths, long elsewhere, Optional<String> note) {}

    /// {@return what was found, in one line}
    public String text() {
        String with = outside.path() + " (" + outside.what() + ")";
        if (same()) {
            return "as " + with + " says: " + compared + " bytes compared";
        }
        List<String> parts = new ArrayList<>();
        if (sourceSize >= 0 && sourceSize != size) {
            parts.add(sourceSize + " bytes, " + size + " were recorded");
        }
        if (!changed.none() && located) {
            parts.add(changed.bytes + " bytes in " + changed.count + (changed.count == 1 ? " place differ" : " places differ")
                    + ", from offset " + changed.first + " to " + changed.last);
        } else if (!changed.none()) {
            parts.add("the hash is another, and does not tell where");
        }
        if (!changed.none()) {
            parts.add(archiveRead
                    ? "the archive has what it recorded there: the source has changed, before or since"
                    : "whether the archive has what it recorded there was not looked at");
        }
        if (!damaged.none()) {
            parts.add(damaged.bytes + " bytes cannot be compared, as the archive is damaged there, from offset " + damaged.first
                    + " to " + damaged.last);
        }
        return "differs from " + with + ": " + String.join("; ", parts);
    }

    /// {@return whether nothing differs}
    public boolean same() {
        return changed.none() && damaged.none() && (sourceSize < 0 || sourceSize == size);
    }
}
