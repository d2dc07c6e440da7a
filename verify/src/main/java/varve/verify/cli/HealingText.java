package varve.verify.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import varve.archive.cli.JsonText;
import varve.archive.cli.Size;
import varve.archive.format.Manifest;
import varve.verify.HealingReport;
import varve.verify.HealingReport.Loss;
import varve.verify.HealingReport.Part;
import varve.verify.HealingReport.Range;
import varve.verify.HealingReport.Repair;

/// What a healing did, in words and as JSON.
record HealingText(HealingReport report) {

    private static final int MOST = 8; // ranges and points in one line; JSON has all

    /// {@return what became of one file}
    static String line(Repair repair, boolean dryRun) {
        String from = repair.parts().stream().map(Part::from).distinct().collect(Collectors.joining(", "));
        return repair.file() + ": " + repair.damage() + ": " + (dryRun ? "can be healed" : "healed")
                + (repair.whole() ? "" : " in part")
                + (from.isEmpty() ? "" : ", " + Size.format(repair.healed()) + " from " + from);
    }

    /// What stays damaged, and what all came to. (The files that were healed were told of one by one.)
    void print(PrintStream out) {
        report.notes().forEach(note -> out.println("note: " + note));
        report.losses().forEach(loss -> out.println("damage: " + line(loss)));
        out.println(lastLine());
    }

    private static String line(Loss loss) {
        String where = loss.range().map(range -> ": " + range.size() + " bytes at position " + range.from()).orElse("");
        return loss.file() + where + ": " + loss.why()
                + (loss.chunks().isEmpty() ? "" : "; lost with it, of the device: " + few(loss.chunks().stream().map(HealingText::text).toList()))
                + (loss.points().isEmpty() ? "" : "; needed for the points in time " + few(loss.points()));
    }

    private static String text(Range range) {
        return range.size() + " bytes at " + range.from();
    }

    private static String few(List<String> texts) {
        return texts.size() <= MOST ? String.join(", ", texts) : String.join(", ", texts.subList(0, MOST)) + " and " + (texts.size() - MOST) + " more";
    }

    private String lastLine() {
        String what = report.volume() + " in vault " + report.vault();
        String read = "; read " + Size.format(report.readHere()) + " here and " + Size.format(report.readElsewhere()) + " elsewhere"
                + (report.away() == 0 ? "" : "; " + report.away() + " data files are away and were not looked at");
        if (report.repairs().isEmpty() && report.healthy()) {
            return what + ": nothing is damaged in " + report.archives() + (report.archives() == 1 ? " archive" : " archives") + read;
        }
        String done = report.repairs().size() + (report.repairs().size() == 1 ? " file" : " files")
                + (report.dryRun() ? " can be healed" : " healed");
        return what + ": " + done + ", " + (report.healthy() ? "nothing stays damaged"
                : report.losses().size() + (report.losses().size() == 1 ? " place stays" : " places stay") + " damaged")
                + (report.dryRun() ? "; nothing was written" : "") + read;
    }

    void print(JsonText json) {
        json.object()
                .member("vault", report.vault().toString())
                .member("vaultId", report.vaultId().toString())
                .member("volume", report.volume())
                .member("dryRun", report.dryRun())
                .member("healthy", report.healthy())
                .member("started", Manifest.text(report.started()))
                .member("milliseconds", report.took().toMillis())
                .member("archives", report.archives())
                .member("away", report.away())
                .member("bytesReadHere", report.readHere())
                .member("bytesReadElsewhere", report.readElsewhere())
                .array("repairs");
        for (Repair repair : report.repairs()) {
            json.object()
                    .member("file", repair.file())
                    .member("damage", repair.damage())
                    .member("size", repair.size())
                    .member("whole", repair.whole())
                    .array("parts");
            for (Part part : repair.parts()) {
                json.object().member("position", part.position()).member("size", part.size()).member("from", part.from()).end();
            }
            json.end().end();
        }
        json.end().array("losses");
        for (Loss loss : report.losses()) {
            json.object().member("file", loss.file());
            if (loss.range().isPresent()) {
                json.member("position", loss.range().get().from()).member("size", loss.range().get().size());
            }
            json.member("why", loss.why()).array("chunks");
            for (Range range : loss.chunks()) {
                json.object().member("offset", range.from()).member("size", range.size()).end();
            }
            json.end().array("points");
            loss.points().forEach(json::element);
            json.end().end();
        }
        json.end().array("notes");
        report.notes().forEach(json::element);
        json.end().member("summary", lastLine()).end();
    }
}
