package varve.verify.cli;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.verify.audit.Auditor;
import varve.verify.audit.VolumeAudit;

/// `varve audit`: what receipts say to an auditor.
@Command(
        name = "audit",
        description = {
            "Show what was proved when: of each point in time the copies, how old their proofs are and what they leave open; what was found wrong and what "
                + "became of it; and whether the receipts are as they were written.",
            "",
            "It is read from receipts and inventories; no data file is read. Exit code 3 if a point has no proved copy, something that went wrong is open, or "
                + "receipts are missing or altered.",
        })
public final class AuditVerb implements Verb {

    /// What a table of CSV has.
    enum Rows {
        points,
        incidents
    }

    @Parameters(arity = "0..*", paramLabel = "VOLUME", description = "Volumes. Default: all.")
    private List<String> names = new ArrayList<>();

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Option(names = "--csv", paramLabel = "ROWS", arity = "0..1", fallbackValue = "points",
            description = "Print a table of comma-separated values: points (one row for each point in each vault; the default) or incidents.")
    private @Nullable Rows csv;

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.PROVE;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        if (csv != null && json.asked()) {
            throw new UsageException("--csv and --json: one of them");
        }
        Consumer<String> warnings = stdio.warnings();
        Instant now = Instant.now();
        List<VolumeAudit> audits = new Auditor(vaults.open(warnings), now, warnings).audit(names);
        AuditText text = new AuditText(audits, now);
        if (json.asked()) {
            try (JsonText out = new JsonText(stdio.out())) {
                text.print(out);
            }
        } else if (csv == Rows.points) {
            text.pointsCsv(stdio.out());
        } else if (csv == Rows.incidents) {
            text.incidentsCsv(stdio.out());
        } else {
            text.print(stdio.out());
        }
        return audits.stream().allMatch(VolumeAudit::clean) ? ExitCode.OK : ExitCode.FINDINGS;
    }
}
