package varve.verify.cli;

import java.io.PrintStream;
import varve.archive.cli.JsonText;
import varve.archive.cli.Printable;
import varve.archive.cli.Size;
import varve.archive.format.Manifest;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.verify.Finding;
import varve.verify.Report;

/// A report in words, and as JSON.
final class ReportText {

    private final Report report;

    ReportText(Report report) {
        this.report = report;
    }

    /// What was found, which points are not good, and what was and was not covered.
    void print(PrintStream out) {
        for (Finding finding : report.findings()) {
            out.println(finding.severity().word() + ": " + Printable.line(finding.text()));
        }
        for (Report.PointInTime point : report.points()) {
            if (!point.good()) {
                out.println(name(point) + ": " + verdict(point) + because(point));
            }
        }
        report.source().ifPresent(differences -> new SourceText(differences).print(out));
        out.println(lastLine());
    }

    void print(JsonText json) {
        json.object()
                .member("vault", report.vault().toString())
                .member("vaultId", report.vaultId().toString())
                .member("volume", report.volume())
                .member("point", report.asked().isEmpty() ? null : report.asked().getFirst())
                .member("depth", report.depth().word())
                .member("sound", report.sound())
                .member("started", Manifest.text(report.started()))
                .member("milliseconds", report.took().toMillis())
                .member("filesRead", report.files())
                .member("bytesRead", report.read())
                .member("evidence", report.evidence().word())
                .member("pageCache", report.evidence() == Evidence.MEDIUM ? "excluded" : "not excluded")
                .member("bytesProved", report.proved())
                .member("bytesInZeroRuns", report.zeros())
                .array("points");
        for (Report.PointInTime point : report.points()) {
            Manifest manifest = point.point().manifest();
            json.object()
                    .member("time", Manifest.text(manifest.time()))
                    .member("sequence", manifest.sequence())
                    .member("archive", manifest.dataName())
                    .member("size", manifest.state().size())
                    .member("root", manifest.state().root().toString())
                    .member("good", point.good())
                    .member("verdict", verdict(point))
                    .member("elsewhere", point.elsewhere())
                    .array("because");
            point.because().forEach(json::element);
            json.end().end();
        }
        json.end().member("lostPoints", report.lostPoints()).array("findings");
        report.findings().forEach(finding -> print(json, finding));
        json.end();
        report.source().ifPresent(differences -> new SourceText(differences).print(json));
        json.array("notCovered");
        report.notCovered(Size::format).forEach(json::element);
        json.end().member("summary", lastLine()).end();
    }

    static void print(JsonText json, Finding finding) {
        json.object()
                .member("kind", finding.kind())
                .member("severity", finding.severity().word())
                .member("file", finding.file())
                .member("rule", finding.rule().map(Enum::name).orElse(null))
                .member("text", finding.text());
        place(json, finding);
        json.end();
    }

    private static void place(JsonText json, Finding finding) {
        switch (finding) {
            case Finding.DamagedRange f -> json.member("position", f.position()).member("size", f.size());
            case Finding.Unreadable f -> json.member("position", f.position()).member("size", f.size());
            case Finding.DamagedChunks f -> json.member("offset", f.offset()).member("size", f.size());
            case Finding.MissingPoints f -> json.member("first", f.first()).member("last", f.last());
            case Finding.MoreDamage f -> json.member("places", f.places());
            case Finding.DamagedManifest _, Finding.Untrusted _, Finding.Signed _, Finding.MissingManifest _, Finding.MissingFile _, Finding.NotAtHand _,
                    Finding.DamagedFile _, Finding.DamagedIndex _, Finding.DamagedTree _, Finding.WrongHash _,
                    Finding.WrongRoot _, Finding.BrokenChain _, Finding.Unsupported _,
                    Finding.DamagedReceipts _, Finding.DamagedSettings _, Finding.StrangeTime _, Finding.StrayFile _ -> {}
        }
    }

    /// What was claimed of what, on which evidence, and what was not covered.
    String lastLine() {
        boolean whole = report.asked().isEmpty();
        int asked = report.points().size() + (whole ? report.lostPoints() : 0);
        String what = report.volume() + (whole ? "" : "@" + String.join(" @", report.asked()));
        String points = report.points().isEmpty() && !whole
                ? "nothing of " + what + ", which may be a point whose manifest is damaged"
                : report.goodPoints() + " of " + asked + (asked == 1 ? " point" : " points") + " in time of " + what;
        return report.depth().claim() + ": " + points + ", " + Size.format(report.read()) + " read in " + report.files()
                + (report.files() == 1 ? " file" : " files") + " from vault " + report.vault()
                + (report.evidence() == Evidence.MEDIUM ? ", from the medium" : " (page cache not excluded)") + "; not covered: " + String.join("; ", report.notCovered(Size::format));
    }

    private String verdict(Report.PointInTime point) {
        if (point.elsewhere()) {
            return "not proved here, as it needs what only other vaults hold";
        }
        return switch (point.verdict()) {
            case NOTE -> report.depth().claim();
            case SPARE, UNKNOWN -> "not proved";
            case DAMAGE -> report.depth() == Depth.STRUCTURE ? "not restorable from here" : "damaged";
        };
    }

    private static String because(Report.PointInTime point) {
        return point.because().isEmpty() ? "" : ", because of " + String.join(", ", point.because());
    }

    private String name(Report.PointInTime point) {
        return report.volume() + "@" + Manifest.text(point.point().manifest().time());
    }
}
