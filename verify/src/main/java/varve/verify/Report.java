package varve.verify;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import varve.archive.chain.Point;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Receipt;
import varve.verify.source.Differences;

/// What one verification looked at, how deep, what it found, and what it did not cover.
///
/// @param vault folder of the vault
/// @param vaultId its identity
/// @param volume name
/// @param asked what was asked for behind the `@`; nothing if it was the whole volume
/// @param depth how deep
/// @param evidence where the bytes came from
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
/// @param against what of the outside the point was to be compared with
/// @param source how it differs; empty if nothing was to be compared, or it could not be
/// @param proofs what was found of each archive whose data file is at hand, or should be
public record Report(
        Path vault,
        UUID vaultId,
        String volume,
        List<String> asked,
        Depth depth,
        Evidence evidence,
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
        List<Receipt.Proof> proofs,
        Optional<Path> against,
        Optional<Differences> source) {

    /// A point in time, and whether it can be had from this vault as far as this verification looked.
    ///
    /// @param point what it is
    /// @param verdict [Severity#NOTE] if it can, else what stands in the way at worst
    /// @param because of which files it cannot
    /// @param elsewhere whether all that is missing here is known to be in other vaults
    public record PointInTime(Point point, Severity verdict, List<String> because, boolean elsewhere) {

        public boolean good() {
            return verdict == Severity.NOTE;
        }
    }

    /// {@return whether nothing is damaged, missing or unknown}
    public boolean sound() {
        return worst().compareTo(Severity.NOTE) <= 0 && lostPoints == 0
                && (against.isEmpty() || source.filter(Differences::same).isPresent())
                && points.stream().allMatch(point -> point.good() || point.elsewhere());
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
        long elsewhere = points.stream().filter(PointInTime::elsewhere).count();
        if (elsewhere > 0) {
            open.add(elsewhere + (elsewhere == 1 ? " point that needs" : " points that need") + " what only other vaults hold");
        }
        if (otherPoints > 0) {
            open.add("what only the other " + otherPoints + " points of " + volume + " need");
        }
        open.add(depth.open());
        source.map(differences -> differences.size() - differences.compared()).filter(rest -> rest > 0)
                .ifPresent(rest -> open.add(size.apply(rest) + " that were not compared with " + against.orElseThrow()));
        if (zeros > 0) {
            open.add("the hashes of " + size.apply(zeros) + " of zero runs, taken from the tables");
        }
        Optional<Finding.Signed> signed = findings.stream().filter(Finding.Signed.class::isInstance).map(Finding.Signed.class::cast).findFirst();
        if (signed.isEmpty()) {
            open.add("who wrote the manifests (not signed)");
        } else if (!signed.get().believed()) {
            open.add("whose key it is that has signed (this host believes none)");
        }
        return open;
    }

    /// {@return the receipt of this verification}
    public Receipt.Act act(Receipt.Draft draft) {
        boolean differs = source.filter(differences -> !differences.same()).isPresent();
        boolean damaged = worst() == Severity.DAMAGE || worst() == Severity.SPARE || lostPoints > 0 || differs;
        List<String> texts = Stream.concat(texts(findings).stream(), source.filter(any -> differs).map(Differences::text).stream()).toList();
        return draft.act(depth, evidence, damaged ? Receipt.Result.DAMAGED : Receipt.Result.OK, proofs, texts,
                notCovered(bytes -> bytes + " bytes"));
    }

    /// {@return what findings say that are no notes, the worst first}
    static List<String> texts(List<Finding> findings) {
        return findings.stream()
                .filter(finding -> finding.severity() != Severity.NOTE)
                .sorted(Comparator.comparing(Finding::severity).reversed())
                .map(Finding::text)
                .toList();
    }

    /// {@return how many points in time were found good}
    public long goodPoints() {
        return points.stream().filter(PointInTime::good).count();
    }
}
