package varve.mounthelper.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.block.RefusedException;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.KeysOption;
import varve.archive.cli.LastWords;
import varve.archive.cli.Progress;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Size;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.archive.format.Manifest;
import varve.archive.linux.Linux;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;
import varve.mounthelper.RestoreOptions;
import varve.mounthelper.RestorePlan;
import varve.mounthelper.Restoration;

/// `varve restore`: brings a device back as it was.
@Command(
        name = "restore",
        description = {
            "Bring a device back as it was at a point in time, to a file or a block device, and prove it.",
            "",
            "The plan is shown first. At the end the target is known to hold, on its medium, the image with the recorded root: "
                    + "what b3sum prints of it. An interrupted restore is continued by the same command.",
            "",
            "With --salvage, what no vault has whole becomes zeros, and a map says what that is. Such an image is not proved: it is "
                    + "called TARGET.salvaged, and the run ends with 4.",
        })
public final class RestoreVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME@POINT", description = "What to bring back: tools@latest, tools@2026-11-20, tools@-1, ...")
    private String point = "";

    @Parameters(index = "1", paramLabel = "TARGET",
            description = "Where to: a file, which gets holes where the image is zero, or a block device that is at least as large as the image.")
    private Path target = Path.of("");

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Option(names = "--overwrite", paramLabel = "TARGET",
            description = "Name the target again if it is a device or a file that exists: what is there is lost. On a terminal you are asked instead.")
    private @Nullable Path overwrite;

    @Option(names = "--in-place",
            description = "Read all that the target holds and write only what differs. An existing file is changed itself; without this it is replaced when the new one is complete.")
    private boolean inPlace;

    @Option(names = "--salvage",
            description = "Write what there is: to TARGET.salvaged, if TARGET is no device. What is missing reads as zeros.")
    private boolean salvage;

    @Option(names = "--map", paramLabel = "FILE",
            description = "With --salvage: where to write the map of what is missing, as ddrescue does. Default: TARGET.salvaged.map.")
    private @Nullable Path map;

    @Option(names = {"-n", "--dry-run"}, description = "Show the plan, and write nothing.")
    private boolean dryRun;

    @Option(names = "--threads", paramLabel = "N", description = "How many threads decompress, hash, read and write. Default: two for each core, 8 at most.")
    private int threads = RestoreOptions.defaultThreads();

    @Option(names = "--bwlimit", paramLabel = "RATE", converter = Size.Rate.class,
            description = "Read and write at most so much of the target a second, such as 50M.")
    private long bwlimit;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.BRING_BACK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        if (target.toString().equals("-")) {
            throw new UsageException("what is restored is read back and proved, so it cannot go to a stream: name a file or device");
        }
        if (map != null && !salvage) {
            throw new UsageException("--map " + map + ": only a salvage writes one; give --salvage too");
        }
        if (salvage && !Linux.isBlockDevice(target)) {
            target = Restoration.salvaged(target);
        } else if (salvage && map == null) {
            throw new UsageException("--salvage to a device: where to should the map of what is missing go? give --map FILE");
        }
        if (overwrite != null && !overwrite.equals(target)) {
            throw new UsageException("--overwrite " + overwrite + ": the target is " + target + "; both have to be the same");
        }
        PointName name = PointName.parse(point);
        List<Vault> places = keys.open(vaults.open(name, stdio, stdio.warnings()));
        Path where = map == null ? target.resolveSibling(target.getFileName() + ".map") : map;
        RestoreOptions options = new RestoreOptions(inPlace, threads, bwlimit, false, salvage ? Optional.of(where) : Optional.empty());
        try (Restoration restoration = Restoration.open(places, name, target, options)) {
            RestorePlan plan = restoration.plan();
            Report report = new Report(plan);
            if (dryRun) {
                report.dryRun(stdio.out(), json.asked());
                return ExitCode.OK;
            }
            report.plan(stdio.err());
            Optional<Path> named = named(plan, stdio);
            String about = plan.manifest().volume() + "@" + Manifest.text(plan.manifest().time()) + " to " + target;
            return execute(restoration, named, report, RestoreTask.of(places, plan, about), stdio);
        }
    }

    /// {@return 4 if something is missing}
    private ExitCode execute(Restoration restoration, Optional<Path> named, Report report, List<RestoreTask> tasks, Stdio stdio)
            throws IOException, InterruptedException {
        boolean[] whole = {true};
        LastWords.around(
                () -> {
                    try (Progress shown = progress.start(stdio, "restore " + point, restoration.plan().workSize())) {
                        Restoration.Outcome outcome = restoration.execute(named, shown::add);
                        shown.finish();
                        List<Receipt.Proof> proofs = restoration.proofs();
                        restoration.whyMissing().ifPresentOrElse(
                                why -> tasks.forEach(task -> task.failed(why, stdio)),
                                () -> tasks.forEach(task -> task.done(proofs, stdio)));
                        restoration.passedOver().forEach(file -> stdio.warn(file + ": damaged, so parts of it were taken from another vault; to mend it: varve heal"));
                        report.outcome(stdio.out(), json.asked(), outcome);
                        whole[0] = outcome.missing().isEmpty();
                    }
                },
                () -> {
                    if (restoration.begun()) {
                        report.interrupted(stdio.err());
                    }
                },
                failure -> {
                    if (failure instanceof RefusedException) {
                        return; // it says what there is to say
                    }
                    tasks.forEach(task -> task.failed(failure, stdio));
                    if (restoration.begun()) {
                        report.failure(stdio.err(), failure);
                    }
                });
        return whole[0] ? ExitCode.OK : ExitCode.CORRUPT;
    }

    /// {@return the target if the user has named it a second time}
    private Optional<Path> named(RestorePlan plan, Stdio stdio) throws IOException {
        if (!plan.overwrites() || overwrite != null || !stdio.person()) {
            return Optional.ofNullable(overwrite);
        }
        Optional<String> typed = stdio.ask("To overwrite it, type its name (" + target + "): ");
        if (typed.isEmpty() || !typed.get().equals(target.toString())) {
            throw new RefusedException(target + ": not named, so nothing was written");
        }
        return Optional.of(target);
    }
}
