package varve.verify;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import varve.archive.chain.Point;
import java.util.function.LongFunction;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Receipt;

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
/// @param proofs what was found of each archive whose data file is at hand, or should be
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
        List<Finding> findings,
        List<Receipt.Proof> proofs) {

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

    /// {@return what was left open}
    ///
    /// @param size how to write a number of bytes
    public List<String> notCovered(LongFunction<String> size) {
        List<String> open = new ArrayList<>();
        long away = findings.stream().filter(Finding.NotAtHand.class::isInstance).count();
        if (away > 0) {
            open.add(away + (away == 1 ? " data file that is" : " data files that are") + " not at hand");
        }
        if (otherPoints > 0) {
            open.add("what only the other " + otherPoints + " points of " + volume + " need");
        }
        open.add(depth.open());
        if (zeros > 0) {
            open.add("the hashes of " + size.apply(zeros) + " of zero runs, taken from the tables");
        }
        open.add("who wrote the manifests (not signed)");
        return open;
    }

    /// {@return the receipt of this verification}
    public Receipt.Act act(Receipt.Draft draft) {
        boolean damaged = worst() == Severity.DAMAGE || worst() == Severity.SPARE || lostPoints > 0;
        List<String> texts = findings.stream()
                .filter(finding -> finding.severity() != Severity.NOTE)
                .sorted(Comparator.comparing(Finding::severity).reversed())
                .map(Finding::text)
                .toList();
        return draft.act(depth, Evidence.CACHE, damaged ? Receipt.Result.DAMAGED : Receipt.Result.OK, proofs, texts,
                notCovered(bytes -> bytes + " bytes"));
    }

    /// {@return how many points in time were found good}
    public long goodPoints() {
        return points.stream().filter(PointInTime::good).count();
    }
}
