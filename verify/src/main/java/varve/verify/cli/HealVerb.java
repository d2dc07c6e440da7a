package varve.verify.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.LockWaitOption;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultOption;
import varve.archive.cli.Verb;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;
import varve.verify.Healing;
import varve.verify.HealingOptions;
import varve.verify.HealingReport;

/// `varve heal`: damaged archives made whole again.
@Command(
        name = "heal",
        description = {
            "Heal the archives of a volume: find what is damaged or missing in the vault, and put back what was written.",
            "",
            "Good bytes are sought in other vaults (--from), in what the archive itself says twice or what follows from its tables, in other "
                    + "archives that hold the same, and on the device (--from-device), if that still holds what was recorded. None is "
                    + "used that has not the recorded hash. A file that changes is made anew beside the old one, proved from the medium, and "
                    + "swapped in; everything else stays as it is. What cannot be healed is listed: file and range, what of the device is lost "
                    + "with it, and which points in time need it.",
            "",
            "Data files that are away on a shelf, or were evicted, are not missed: varve copy brings them.",
        })
public final class HealVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume to heal.")
    private String volume = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--from", paramLabel = "VAULT", arity = "1..*",
            description = "Another vault, which may have good copies, or LABEL=DIR; several may be given. Of its data files no more is read than what is damaged here.")
    private List<String> from = new ArrayList<>();

    @Option(names = "--from-device", paramLabel = "DEV",
            description = "The device or image, which may still hold what was recorded: it is compared with the hashes, and compressed again.")
    private @Nullable Path device;

    @Option(names = {"-n", "--dry-run"}, description = "Find out what is damaged and what of it can be healed, and write nothing.")
    private boolean dryRun;

    @Option(names = "--threads", paramLabel = "N", description = "How many threads read and hash. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.PROVE;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        List<Vault> others = new ArrayList<>();
        for (String name : from) {
            others.add(VaultName.parse(name).open());
        }
        HealingOptions options = new HealingOptions(others, Optional.ofNullable(device), dryRun, threads, lockWait.duration());
        HealingReport report;
        try (ProgressWatcher watcher = new ProgressWatcher(progress, stdio)) {
            report = new Healing(vault.open(), volume, options, InstantSource.system(), watcher,
                    repair -> (json.asked() ? stdio.err() : stdio.out()).println(HealingText.line(repair, dryRun))).run();
        }
        HealingText text = new HealingText(report);
        if (json.asked()) {
            try (JsonText out = new JsonText(stdio.out())) {
                text.print(out);
            }
        } else {
            text.print(stdio.out());
        }
        return report.healthy() ? ExitCode.OK : ExitCode.FINDINGS;
    }
}
