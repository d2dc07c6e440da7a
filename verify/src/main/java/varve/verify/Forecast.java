package varve.verify;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import varve.archive.vault.Receipt;

/// By when patrols will have proved everything, if they go on as they did.
///
/// Before the second day there is nothing to go by but the one run; then that is taken to come once a day.
///
/// @param remaining bytes that are still to be proved
/// @param bytesPerDay how fast patrols prove
/// @param measured over what time that was measured; empty if one run a day is assumed
/// @param end when nothing will remain; empty if nothing is proved at all
/// @param turn how long it takes to prove everything once; empty likewise
public record Forecast(long remaining, long bytesPerDay, Optional<Duration> measured, Optional<Instant> end, Optional<Duration> turn) {

    private static final Duration DAY = Duration.ofDays(1);

    /// how far back receipts count
    private static final Duration WINDOW = Duration.ofDays(90);

    /// @param earlier receipts of patrols, in any order, before this one
    /// @param begun when this one began
    /// @param proved bytes that it has looked at
    /// @param now it has ended
    /// @param remaining bytes that are still to be proved
    /// @param size bytes of all that is patrolled
    static Forecast of(Collection<Receipt.Act> earlier, Instant begun, long proved, Instant now, long remaining, long size) {
        List<Receipt.Act> acts = earlier.stream()
                .filter(act -> act.started().isBefore(begun) && act.started().isAfter(begun.minus(WINDOW)))
                .toList();
        long before = acts.stream()
                .flatMap(act -> act.archives().stream())
                .mapToLong(proof -> proof.proved().size() + proof.damaged().size())
                .sum();
        Optional<Duration> measured = acts.stream()
                .map(Receipt.Act::started)
                .min(Instant::compareTo)
                .map(first -> Duration.between(first, begun))
                .filter(span -> span.compareTo(DAY) >= 0); // from start to start: this run's bytes belong to the time to come
        double daily = measured.map(span -> before * (DAY.toMillis() / (double) span.toMillis())).orElse((double) before + proved);
        if (daily < 1) {
            return new Forecast(remaining, 0, measured, remaining == 0 ? Optional.of(now) : Optional.empty(), Optional.empty());
        }
        return new Forecast(remaining, (long) daily, measured, Optional.of(now.plus(days(remaining / daily))), Optional.of(days(size / daily)));
    }

    private static Duration days(double days) {
        return Duration.ofSeconds((long) Math.ceil(Math.min(days, 1e6) * DAY.toSeconds()));
    }
}
