package varve.verify;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import varve.archive.vault.Depth;
import varve.archive.vault.Vault;

/// What a patrol did, what it found, and how all of it stands now.
///
/// @param options how it was done
/// @param started when
/// @param took how long
/// @param looked bytes of data files that were looked at
/// @param spent whether it ended because the budget was used up; else nothing was due any more
/// @param beats what was patrolled
/// @param forecast by when everything will have been proved
public record PatrolReport(
        PatrolOptions options, Instant started, Duration took, long looked, boolean spent, List<Beat> beats, Forecast forecast) {

    /// One volume in one vault.
    ///
    /// @param files data files in the vault
    /// @param coverage as the receipts have it after the run
    public record Beat(Vault vault, String volume, int files, Coverage coverage, List<Finding> findings) {

        /// {@return whether nothing is damaged, missing or unknown}
        boolean sound() {
            return coverage.damaged() == 0 && findings.stream().allMatch(finding -> finding.severity() == Severity.NOTE);
        }
    }

    /// {@return the coverage of everything}
    public Coverage coverage() {
        return beats.stream().map(Beat::coverage).reduce(Coverage.NONE, Coverage::plus);
    }

    public Depth depth() {
        return options.proof().depth();
    }

    /// {@return whether nothing is damaged, missing or unknown: found now, or before and not mended since}
    public boolean sound() {
        return beats.stream().allMatch(Beat::sound);
    }

    /// {@return whether a turn takes longer than what was proved may be old}
    public boolean tooSlow() {
        Optional<Duration> turn = forecast.turn();
        return spent && options.maxAge().isPresent() && (turn.isEmpty() || turn.get().compareTo(options.maxAge().get()) > 0);
    }
}
