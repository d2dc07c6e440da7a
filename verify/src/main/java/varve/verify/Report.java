package varve.verify;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import varve.archive.chain.Point;

/// What one verification looked at, how deep, what it found, and what it did not cover.
///
/// @param vault folder of the vault
/// @param vaultId its identity
/// @param volume name
/// @param point what was asked for behind the `@`; empty if it was the whole volume
/// @param depth how deep
/// @param started when
/// @param took how long
/// @param files that were read
/// @param read bytes of them
/// @param proved bytes of the device at all times together whose hashes were computed
/// @param zeros bytes of the device, likewise, in zero runs: compared with the one form of zeros, their hashes taken from the tables
/// @param points in time that were asked for, those with good manifests
/// @param lostPoints points in time whose manifests cannot be read
/// @param otherPoints of the volume, that were not asked for
/// @param findings all of them
public record Report(
        Path vault,
        UUID vaultId,
        String volume,
        Optional<String> point,
        Depth depth,
        Instant started,
        Duration took,
        long files,
        long read,
        long proved,
        long zeros,
        List<PointInTime> points,
        int lostPoints,
        int otherPoints,
        List<Finding> findings) {

    /// A point in time, and whether it can be had from this vault as far as this verification looked.
    ///
    /// @param point what it is
    /// @param verdict [Severity#NOTE] if it can, else what stands in the way at worst
    /// @param because of which files it cannot
    public record PointInTime(Point point, Severity verdict, List<String> because) {

        public boolean good() {
            return verdict == Severity.NOTE;
        }
    }

    /// {@return whether nothing is damaged, missing or unknown}
    public boolean sound() {
        return worst().compareTo(Severity.NOTE) <= 0 && lostPoints == 0 && points.stream().allMatch(PointInTime::good);
    }

    /// {@return the severity of the worst finding}
    public Severity worst() {
        return findings.stream().map(Finding::severity).max(Severity::compareTo).orElse(Severity.NOTE);
    }

    /// {@return how many points in time were found good}
    public long goodPoints() {
        return points.stream().filter(PointInTime::good).count();
    }
}
