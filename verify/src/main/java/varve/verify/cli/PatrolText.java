package varve.verify.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import varve.archive.cli.JsonText;
import varve.archive.cli.Lapse;
import varve.archive.cli.Printable;
import varve.archive.cli.Size;
import varve.archive.format.Manifest;
import varve.verify.Coverage;
import varve.verify.Finding;
import varve.verify.Forecast;
import varve.verify.PatrolReport;

/// What a patrol did and how all of it stands, in words and as JSON.
final class PatrolText {

    private final PatrolReport report;
    private final Coverage coverage;
    private final Forecast forecast;
    private final Instant ended;

    PatrolText(PatrolReport report) {
        this.report = report;
        this.coverage = report.coverage();
        this.forecast = report.forecast();
        this.ended = report.started().plus(report.took());
    }

    /// What was found, then what was done, how old the proofs are, by when it will be done, and what is not covered.
    void print(PrintStream out) {
        for (PatrolReport.Beat beat : report.beats()) {
            for (Finding finding : beat.findings()) {
                out.println(finding.severity().word() + ": " + beat.volume() + ": " + Printable.line(finding.text()));
            }
        }
        lines().forEach(line -> out.println(Printable.line(line)));
    }

    private List<String> lines() {
        return List.of(run(), "coverage: " + standing(), "forecast: " + outlook(), "not covered: " + String.join("; ", notCovered()));
    }

    private String run() {
        int files = report.beats().stream().mapToInt(PatrolReport.Beat::files).sum();
        long volumes = report.beats().stream().map(PatrolReport.Beat::volume).distinct().count();
        return report.depth().claim() + ", the oldest first: " + Size.format(report.looked()) + " of " + Size.format(coverage.size()) + " in "
                + count(files, "data file") + " of " + count(volumes, "volume") + ", in " + Lapse.format(report.took())
                + (report.spent() ? "; the budget is used up" : report.options().maxAge().map(age -> "; nothing else is older than " + Lapse.format(age))
                        .orElse("; all of it"));
    }

    private String standing() {
        List<String> parts = new ArrayList<>();
        parts.add(coverage.oldest().map(oldest -> Size.format(coverage.proved()) + " proved, the oldest byte at " + Manifest.text(oldest)
                + " (" + age(oldest) + " ago)").orElse("nothing proved"));
        if (coverage.never() > 0) {
            parts.add(Size.format(coverage.never()) + " never proved so deep");
        }
        if (coverage.damaged() > 0) {
            parts.add(Size.format(coverage.damaged()) + " known to be damaged in " + String.join(", ", damagedFiles()));
        }
        return String.join("; ", parts);
    }

    private List<String> damagedFiles() {
        List<String> files = coverage.stretches().stream()
                .filter(stretch -> stretch.damaged().isPresent())
                .map(stretch -> stretch.archive().data().getFileName().toString())
                .distinct()
                .toList();
        return files.size() <= 3 ? files : List.of(files.get(0), files.get(1), (files.size() - 2) + " more files");
    }

    private String outlook() {
        Optional<Duration> within = report.options().maxAge();
        String rate = Size.format(forecast.bytesPerDay()) + " a day, "
                + forecast.measured().map(span -> "as over the last " + Lapse.format(span)).orElse("if such a run is made every day");
        if (forecast.remaining() == 0) {
            return "all of it was looked at" + within.map(age -> " within " + Lapse.format(age)).orElse("");
        }
        if (forecast.end().isEmpty()) {
            return Size.format(forecast.remaining()) + " remain, and nothing was looked at: the budget is too small";
        }
        String what = within.map(age -> "all of it will have been proved within " + Lapse.format(age) + " by ")
                .orElse(coverage.never() > 0 ? "all of it will have been proved by " : "all of it will have been proved again by ");
        return what + day(forecast.end().get()) + " (" + Size.format(forecast.remaining()) + " remain, " + rate + ")"
                + (report.tooSlow() ? tooSlow(within.orElseThrow()) : "");
    }

    private String tooSlow(Duration within) {
        long needed = (long) Math.ceil(coverage.size() * (86_400.0 / within.toSeconds()));
        return "; but a turn takes " + forecast.turn().map(Lapse::format).orElse("for ever") + ", longer than --max-age " + Lapse.format(within)
                + ": that needs " + Size.format(needed) + " a day";
    }

    private List<String> notCovered() {
        List<String> open = new ArrayList<>();
        open.add("vaults that are not at hand");
        long less = coverage.lessDeepThan(report.depth());
        if (less > 0) {
            open.add(Size.format(less) + " of deltas whose base is not at hand, proved as stored only");
        }
        open.add(report.depth().open());
        open.add("who wrote the manifests (not signed)");
        return open;
    }

    private String age(Instant time) {
        return Lapse.format(Duration.between(time, ended));
    }

    private static String day(Instant time) {
        return time.toString().substring(0, 10);
    }

    private static String count(long number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    void print(JsonText json) {
        json.object()
                .member("depth", report.depth().word())
                .member("sound", report.sound())
                .member("started", Manifest.text(report.started()))
                .member("milliseconds", report.took().toMillis())
                .member("bytesLookedAt", report.looked())
                .member("budgetSpent", report.spent())
                .object("coverage");
        members(json, coverage);
        json.end().object("forecast")
                .member("bytesRemaining", forecast.remaining())
                .member("bytesPerDay", forecast.bytesPerDay())
                .member("measured", forecast.measured().isPresent())
                .member("end", forecast.end().map(Manifest::text).orElse(null))
                .member("tooSlow", report.tooSlow())
                .end()
                .array("volumes");
        for (PatrolReport.Beat beat : report.beats()) {
            json.object()
                    .member("vault", beat.vault().folder().toString())
                    .member("vaultId", beat.vault().id().toString())
                    .member("volume", beat.volume())
                    .member("files", beat.files());
            members(json, beat.coverage());
            json.array("findings");
            for (Finding finding : beat.findings()) {
                ReportText.print(json, finding);
            }
            json.end().end();
        }
        json.end().array("notCovered");
        notCovered().forEach(json::element);
        json.end().member("summary", String.join("; ", run(), standing(), outlook())).end();
    }

    private void members(JsonText json, Coverage part) {
        json.member("bytes", part.size())
                .member("bytesProved", part.proved())
                .member("bytesNeverProved", part.never())
                .member("bytesDamaged", part.damaged())
                .member("bytesLessDeep", part.lessDeepThan(report.depth()))
                .member("oldestProof", part.oldest().map(Manifest::text).orElse(null));
    }
}
