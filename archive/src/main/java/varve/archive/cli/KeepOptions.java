package varve.archive.cli;

import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.retention.Retention;
import varve.archive.retention.Span;

/// A policy on the command line: `--keep-last`, `--keep-daily` and so on.
final class KeepOptions {

    @Option(names = "--keep-last", paramLabel = "N", description = "Keep the newest N points.")
    private @Nullable Integer last;

    @Option(names = "--keep-within", paramLabel = "SPAN",
            description = "Keep all points that are no older than SPAN, counted back from the latest one: 30d, 12h, 2m, 1y6m.")
    private @Nullable String within;

    @Option(names = "--keep-daily", paramLabel = "N", description = "Keep the newest point of each of N days that have one.")
    private @Nullable Integer daily;

    @Option(names = "--keep-weekly", paramLabel = "N", description = "The same with weeks, which begin on Monday.")
    private @Nullable Integer weekly;

    @Option(names = "--keep-monthly", paramLabel = "N", description = "The same with months.")
    private @Nullable Integer monthly;

    @Option(names = "--keep-yearly", paramLabel = "N", description = "The same with years.")
    private @Nullable Integer yearly;

    @Option(names = "--time-zone", paramLabel = "ZONE",
            description = "Whose days, weeks, months and years: Europe/Vienna, +01:00. Default: UTC.")
    private @Nullable String zone;

    /// {@return the policy; empty if none of the options was given}
    /// @throws UsageException if they are none
    Optional<Retention> policy() {
        if (Stream.of(last, within, daily, weekly, monthly, yearly).allMatch(Objects::isNull)) {
            if (zone != null) {
                throw new UsageException("--time-zone is part of a policy: give the --keep options with it");
            }
            return Optional.empty();
        }
        try {
            return Optional.of(new Retention(
                    number("--keep-last", last),
                    Optional.ofNullable(within).map(Span::parse),
                    number("--keep-daily", daily),
                    number("--keep-weekly", weekly),
                    number("--keep-monthly", monthly),
                    number("--keep-yearly", yearly),
                    zone()));
        } catch (IllegalArgumentException e) {
            throw new UsageException("--keep-within: " + e.getMessage());
        }
    }

    private static int number(String option, @Nullable Integer number) {
        if (number != null && (number < 1 || number > Retention.MAX)) {
            throw new UsageException(option + " " + number + ": expected 1 to " + Retention.MAX + "; to keep none for that reason, leave it out");
        }
        return number == null ? 0 : number;
    }

    private ZoneId zone() {
        try {
            return zone == null ? ZoneId.of("UTC") : ZoneId.of(zone);
        } catch (DateTimeException e) {
            throw new UsageException("--time-zone " + zone + ": no such time zone; say it like Europe/Vienna, UTC or +01:00");
        }
    }
}
