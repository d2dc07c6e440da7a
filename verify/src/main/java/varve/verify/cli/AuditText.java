package varve.verify.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.cli.JsonText;
import varve.archive.cli.Lapse;
import varve.archive.cli.Printable;
import varve.archive.cli.Size;
import varve.archive.cli.Table;
import varve.archive.format.Manifest;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.verify.audit.Incident;
import varve.verify.audit.VolumeAudit;

/// An audit as tables for people, as JSON, and as comma-separated values (RFC 4180).
final class AuditText {

    private final List<VolumeAudit> audits;
    private final Instant now;

    AuditText(List<VolumeAudit> audits, Instant now) {
        this.audits = audits;
        this.now = now;
    }

    void print(PrintStream out) {
        if (audits.isEmpty()) {
            out.println("no volumes");
        }
        for (VolumeAudit audit : audits) {
            if (audit != audits.getFirst()) {
                out.println();
            }
            out.println("volume " + audit.volume());
            audit.problems().forEach(problem -> out.println("  " + Printable.line("manifest: " + problem.getMessage())));
            points(audit, out);
            audit.incidents().forEach(incident -> out.println("  " + Printable.line(words(incident))));
            audit.chains().forEach(chain -> chain(chain, out));
        }
    }

    private void points(VolumeAudit audit, PrintStream out) {
        Table table = new Table(">#", "POINT IN TIME", ">COPIES", "VAULT", ">FILES", "OLDEST PROOF", ">AGE", "DEPTH", "FROM", ">UNPROVED", ">DAMAGED", "");
        for (VolumeAudit.PointAudit point : audit.points()) {
            String number = String.valueOf(point.point().manifest().sequence());
            String time = Manifest.text(point.point().manifest().time());
            String copies = String.valueOf(point.copies());
            if (point.holdings().isEmpty()) {
                table.row(number, time, copies, "none", "", "", "", "", "", "", "", "no vault is known to hold any of it");
            }
            for (VolumeAudit.Holding holding : point.holdings()) {
                table.row(number, time, copies, holding.name(), holding.files() + "/" + (holding.files() + holding.missing()),
                        holding.proof().map(Manifest::text).orElse("never"), holding.proof().map(this::age).orElse(""),
                        holding.depth().word(), holding.evidence().word(), Size.format(holding.unproved()), Size.format(holding.damaged()), remarks(holding));
            }
        }
        table.print(out, "no points in time");
    }

    private static String remarks(VolumeAudit.Holding holding) {
        return Stream.of(holding.missing() > 0 ? "not whole" : "", holding.counts() ? "" : "does not count", holding.atHand() ? "" : "not at hand")
                .filter(remark -> !remark.isEmpty())
                .collect(Collectors.joining(", "));
    }

    private static String words(Incident incident) {
        return "incident: " + Manifest.text(incident.found()) + ", " + incident.by().word() + " in vault " + incident.name() + " (receipt "
                + incident.receipt() + "): " + incident.text()
                + (incident.damaged().isEmpty() ? "" : "; " + incident.damaged().size() + " bytes in " + incident.archive().orElse("?"))
                + incident.end().map(end -> "; over at " + Manifest.text(end) + ", by " + incident.endedBy().map(Receipt.What::word).orElse("?")).orElse("; OPEN");
    }

    private static void chain(VolumeAudit.Chain chain, PrintStream out) {
        String span = chain.first().map(first -> " from " + Manifest.text(first) + " to " + Manifest.text(chain.last().orElse(first))).orElse("");
        out.println("  " + Printable.line("receipts in vault " + chain.name() + ": " + chain.receipts() + span
                + (chain.problems().isEmpty() ? ", each follows the one before" : ", BROKEN:")));
        chain.problems().forEach(problem -> out.println("    " + Printable.line(String.valueOf(problem.getMessage()))));
    }

    private String age(Instant time) {
        return Lapse.format(Duration.between(time, now));
    }

    // ---- JSON

    void print(JsonText json) {
        json.object().member("time", Manifest.text(now)).member("clean", audits.stream().allMatch(VolumeAudit::clean)).array("volumes");
        for (VolumeAudit audit : audits) {
            json.object().member("volume", audit.volume()).member("clean", audit.clean()).array("points");
            audit.points().forEach(point -> print(json, point));
            json.end().array("incidents");
            audit.incidents().forEach(incident -> print(json, incident));
            json.end().array("receipts");
            audit.chains().forEach(chain -> print(json, chain));
            json.end().array("problems");
            audit.problems().forEach(problem -> json.element(String.valueOf(problem.getMessage())));
            json.end().end();
        }
        json.end().end();
    }

    private static void print(JsonText json, VolumeAudit.PointAudit point) {
        Manifest manifest = point.point().manifest();
        json.object()
                .member("sequence", manifest.sequence())
                .member("time", Manifest.text(manifest.time()))
                .member("root", manifest.state().root().toString())
                .member("size", manifest.state().size())
                .member("copies", point.copies())
                .array("vaults");
        for (VolumeAudit.Holding holding : point.holdings()) {
            json.object()
                    .member("vault", holding.name())
                    .member("vaultId", holding.vault().toString())
                    .member("atHand", holding.atHand())
                    .member("counts", holding.counts())
                    .member("proved", holding.proved())
                    .member("files", holding.files())
                    .member("filesMissing", holding.missing())
                    .member("oldestProof", time(holding.proof()))
                    .member("depth", holding.depth().word())
                    .member("evidence", holding.evidence().word())
                    .member("bytesUnproved", holding.unproved())
                    .member("bytesDamaged", holding.damaged())
                    .end();
        }
        json.end().end();
    }

    private static void print(JsonText json, Incident incident) {
        json.object()
                .member("vault", incident.name())
                .member("vaultId", incident.vault().toString())
                .member("found", Manifest.text(incident.found()))
                .member("by", incident.by().word())
                .member("receipt", incident.receipt())
                .member("archive", incident.archive().orElse(null))
                .array("damaged");
        for (Ranges.Range range : incident.damaged().list()) {
            json.object().member("position", range.from()).member("size", range.size()).end();
        }
        json.end()
                .member("text", incident.text())
                .member("end", time(incident.end()))
                .member("endedBy", incident.endedBy().map(Receipt.What::word).orElse(null))
                .end();
    }

    private static void print(JsonText json, VolumeAudit.Chain chain) {
        json.object()
                .member("vault", chain.name())
                .member("vaultId", chain.vault().toString())
                .member("receipts", chain.receipts())
                .member("first", time(chain.first()))
                .member("last", time(chain.last()))
                .member("unbroken", chain.problems().isEmpty())
                .array("problems");
        chain.problems().forEach(problem -> json.element(String.valueOf(problem.getMessage())));
        json.end().end();
    }

    private static @Nullable String time(Optional<Instant> time) {
        return time.map(Manifest::text).orElse(null);
    }

    // ---- CSV

    void pointsCsv(PrintStream out) {
        row(out, "volume", "sequence", "time", "root", "size", "copies", "vault", "vault_id", "at_hand", "counts", "proved", "files", "files_missing",
                "oldest_proof", "age_days", "depth", "evidence", "bytes_unproved", "bytes_damaged");
        for (VolumeAudit audit : audits) {
            for (VolumeAudit.PointAudit point : audit.points()) {
                Manifest manifest = point.point().manifest();
                Object[] first = {audit.volume(), manifest.sequence(), Manifest.text(manifest.time()), manifest.state().root(), manifest.state().size(), point.copies()};
                if (point.holdings().isEmpty()) {
                    row(out, Stream.concat(Stream.of(first), Stream.of("", "", "", "", "", "", "", "", "", "", "", "", "")).toArray());
                }
                for (VolumeAudit.Holding holding : point.holdings()) {
                    row(out, Stream.concat(Stream.of(first), Stream.of(holding.name(), holding.vault(), holding.atHand(), holding.counts(), holding.proved(),
                            holding.files(), holding.missing(), holding.proof().map(Manifest::text).orElse(""),
                            holding.proof().map(proof -> String.valueOf(Duration.between(proof, now).toDays())).orElse(""),
                            word(holding.depth()), word(holding.evidence()), holding.unproved(), holding.damaged())).toArray());
                }
            }
        }
    }

    void incidentsCsv(PrintStream out) {
        row(out, "volume", "vault", "vault_id", "found", "by", "receipt", "archive", "bytes_damaged", "first_position", "text", "end", "ended_by");
        for (VolumeAudit audit : audits) {
            for (Incident incident : audit.incidents()) {
                row(out, audit.volume(), incident.name(), incident.vault(), Manifest.text(incident.found()), incident.by().word(), incident.receipt(),
                        incident.archive().orElse(""), incident.damaged().size(),
                        incident.damaged().isEmpty() ? "" : incident.damaged().list().getFirst().from(), incident.text(),
                        incident.end().map(Manifest::text).orElse(""), incident.endedBy().map(Receipt.What::word).orElse(""));
            }
        }
    }

    private static String word(Depth depth) {
        return depth.word();
    }

    private static String word(Evidence evidence) {
        return evidence.word();
    }

    private static void row(PrintStream out, Object... cells) {
        out.print(Stream.of(cells).map(cell -> cell(String.valueOf(cell))).collect(Collectors.joining(",")) + "\r\n");
    }

    /// a cell; one that a spreadsheet would take for a formula is made a text, since texts may come from anywhere
    static String cell(String text) {
        String plain = text.matches("(?s)[=+\\-@\\t\\r].*") ? "'" + text : text;
        return plain.matches("(?s).*[\",\\r\\n].*") ? "\"" + plain.replace("\"", "\"\"") + "\"" : plain;
    }
}
