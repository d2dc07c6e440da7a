package varve.verify;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// What a healing found damaged, what it did about it, and what stays damaged.
///
/// @param vault folder of the vault
/// @param vaultId its identity
/// @param volume name
/// @param dryRun whether nothing was written
/// @param started when
/// @param took how long
/// @param archives that were looked at
/// @param away archives whose data files are not here, as is meant
/// @param readHere bytes of data files in the vault itself that were read to find damage
/// @param readElsewhere bytes of data files in other vaults that were read to heal it
/// @param repairs files that were healed, or would be
/// @param losses what could not be, or could not be
/// @param notes what should be known besides
public record HealingReport(
        Path vault,
        UUID vaultId,
        String volume,
        boolean dryRun,
        Instant started,
        Duration took,
        int archives,
        int away,
        long readHere,
        long readElsewhere,
        List<Repair> repairs,
        List<Loss> losses,
        List<String> notes) {

    /// A file that gets bytes back.
    ///
    /// @param file its name in the folder of the volume
    /// @param damage what was wrong with it
    /// @param size of the file as it should be
    /// @param parts what was put in its place
    /// @param whole whether the file is as it was written now
    public record Repair(String file, String damage, long size, List<Part> parts, boolean whole) {

        /// {@return bytes that were put in their place}
        public long healed() {
            return parts.stream().mapToLong(Part::size).sum();
        }
    }

    /// A part of a file that was put in its place.
    ///
    /// @param position of its first byte in the file
    /// @param from where the bytes are from
    public record Part(long position, long size, String from) {}

    /// What stays damaged.
    ///
    /// @param file its name in the folder of the volume
    /// @param range of the file; empty if it is all of it, or nothing tells
    /// @param why it could not be healed
    /// @param chunks ranges of the device that are lost with it, as the archive has them
    /// @param points points in time that cannot be restored without it from the vaults at hand
    public record Loss(String file, Optional<Range> range, String why, List<Range> chunks, List<String> points) {}

    /// A range of a file, or of the device.
    public record Range(long from, long size) {

        public long end() {
            return from + size;
        }

        /// Adds a range behind others; if it touches the last, they become one.
        static void add(List<Range> to, long from, long size) {
            if (!to.isEmpty() && to.getLast().end() == from) {
                to.add(new Range(to.getLast().from, to.removeLast().size + size));
            } else if (size > 0) {
                to.add(new Range(from, size));
            }
        }
    }

    /// {@return whether nothing stays damaged}
    public boolean healthy() {
        return losses.isEmpty();
    }

    /// {@return bytes that were put in their place}
    public long healed() {
        return repairs.stream().mapToLong(Repair::healed).sum();
    }
}
