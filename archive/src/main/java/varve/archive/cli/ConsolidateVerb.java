package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.ArchiveOptions;
import varve.archive.Consolidation;
import varve.archive.Consolidation.Outcome;
import varve.archive.ConsolidationOptions;
import varve.archive.ConsolidationPlan;
import varve.archive.SourceProof;
import varve.archive.chain.Point;
import varve.archive.codec.FrameEncoder;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.hash.Hashing;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;

/// `varve consolidate`: makes one archive of several.
@Command(
        name = "consolidate",
        description = {
            "Fold several deltas of a volume into one, or make a full out of a chain, without the device.",
            "",
            "Frames that are still live as a whole are copied; of the others the live parts are packed anew. All that is read is proved, what is "
                    + "written is read back from the medium. What the new archive is made of stays where it is.",
        })
public final class ConsolidateVerb implements Verb {

    /// archives that a plan for people names one by one
    private static final int MOST_LINES = 12;

    @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
    private String volume = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Option(names = "--from", paramLabel = "POINT",
            description = "The point in time that the new delta applies to, as behind the @ of VOLUME@POINT.")
    private @Nullable String from;

    @Option(names = "--to", paramLabel = "POINT", description = "The point in time that the new archive leads to. Default: latest.")
    private String to = "latest";

    @Option(names = "--full", description = "Make a full, out of the full and the deltas that lead to the point.")
    private boolean full;

    @Option(names = "--level", paramLabel = "N", description = "zstd level of what is compressed again. Default: 3.")
    private int level = ArchiveOptions.DEFAULT_LEVEL;

    @Option(names = "--threads", paramLabel = "N",
            description = "How many threads read, hash and compress. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--prove", paramLabel = "SOURCE",
            description = "Before, read all of a device or image, or of the snapshot that varve has kept (\"kept\"), and refuse unless it is what the "
                    + "point says: for deltas that came from change lists.")
    private @Nullable String prove;

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Option(names = {"-n", "--dry-run"}, description = "Show the plan, and write nothing.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.KEEP;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        ConsolidationOptions options = options();
        Vault place = keys.open(vault.open());
        Volume of = place.volume(volume);
        if (dryRun || !of.exists()) { // which opening says better than a lock
            try (Consolidation consolidation = Consolidation.open(place, volume, options, stdio.warnings())) {
                report(stdio, consolidation.plan(), Optional.empty());
            }
            return ExitCode.OK;
        }
        Hashing.warmUp(); // while the fold is planned
        try (VolumeLock lock = VolumeLock.acquire(of.folder(), lockWait.duration(), "varve consolidate " + volume)) {
            if (ArchiveWriter.recover(of.folder())) {
                stdio.warnings().accept("finished the archive that an interrupted run had completed");
            }
            if (prove != null) {
                prove(stdio, place, of);
            }
            try (Consolidation consolidation = Consolidation.open(place, volume, options, stdio.warnings())) {
                execute(stdio, consolidation);
            }
        }
        return ExitCode.OK;
    }

    private void prove(Stdio stdio, Vault place, Volume of) throws IOException, InterruptedException {
        Point point = new PointName(volume, Optional.of(to)).in(of.read().sound());
        try (Progress shown = progress.start(stdio, "prove " + volume, point.state().size())) {
            new SourceProof(place, volume, threads, stdio.warnings()).check(point, prove, shown::add);
            shown.finish();
        }
        stdio.say("proved: all of " + (prove.equals(SourceProof.KEPT) ? point.manifest().source() : prove) + " was read and has root " + point.state().root());
    }

    private ConsolidationOptions options() {
        if (full == (from != null)) {
            throw new UsageException(full ? "--full and --from: a full applies to nothing; give one of the two" : "give --from POINT, or --full");
        }
        if (!FrameEncoder.levelIsKnown(level)) {
            throw new UsageException("--level " + level + ": zstd knows 1 to 22, and negative ones for speed");
        }
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        return new ConsolidationOptions(Optional.ofNullable(from), to, level, threads);
    }

    private void execute(Stdio stdio, Consolidation consolidation) throws IOException {
        ConsolidationPlan plan = consolidation.plan();
        if (plan.idle()) {
            report(stdio, plan, Optional.empty());
            return;
        }
        if (!json.asked()) {
            print(plan, stdio.err());
        }
        try (Progress shown = progress.start(stdio, "consolidate " + volume, plan.work())) {
            Outcome outcome = consolidation.execute(InstantSource.system(), shown::add);
            shown.finish();
            report(stdio, plan, Optional.of(outcome));
        }
    }

    private void report(Stdio stdio, ConsolidationPlan plan, Optional<Outcome> outcome) {
        if (json.asked()) {
            json(stdio, plan, outcome);
        } else if (plan.idle()) {
            stdio.out().println(idle(plan));
        } else if (outcome.isPresent()) {
            print(plan, outcome.get(), stdio.out());
        } else {
            print(plan, stdio.out());
            stdio.out().println("nothing was written");
        }
    }

    private String idle(ConsolidationPlan plan) {
        if (plan.present().isEmpty()) {
            return volume + ": nothing to do: both points have the same state, root " + plan.to().state().root();
        }
        String file = plan.present().get().data().getFileName().toString();
        return volume + ": nothing to do: " + (plan.kind() == Kind.FULL
                ? file + " is a full of " + time(plan.to())
                : file + " leads from " + time(plan.from().orElseThrow()) + " to " + time(plan.to()));
    }

    private void print(ConsolidationPlan plan, PrintStream out) {
        row(out, "makes", plan.kind() == Kind.FULL
                ? "a full of " + volume + "@" + time(plan.to())
                : "a delta from " + volume + "@" + time(plan.from().orElseThrow()) + " to " + volume + "@" + time(plan.to()));
        List<StoredArchive> archives = plan.archives();
        row(out, "out of", archives.size() + (archives.size() == 1 ? " archive, " : " archives, ") + Size.format(plan.readSize()));
        if (archives.size() <= MOST_LINES) {
            archives.forEach(archive -> row(out, "", line(archive)));
        } else {
            row(out, "", line(archives.getFirst()));
            row(out, "", "... " + (archives.size() - 2) + " others ...");
            row(out, "", line(archives.getLast()));
        }
        row(out, "copies", plan.movedFrames() + " frames, " + Size.format(plan.movedSize()) + ", as they are");
        row(out, "packs", Size.format(plan.packedSize()) + " of content anew");
        row(out, "stores", "about " + Size.format(plan.storedSize()));
    }

    private static String line(StoredArchive archive) {
        return archive.data().getFileName() + ", " + Size.format(archive.manifest().file().size());
    }

    private static void row(PrintStream out, String name, String text) {
        out.println("  " + name + " ".repeat(Math.max(1, 9 - name.length())) + text);
    }

    private void print(ConsolidationPlan plan, Outcome outcome, PrintStream out) {
        Manifest manifest = outcome.manifest();
        if (outcome.reusedSize() > 0) {
            out.println("resumed: " + Size.format(outcome.reusedSize()) + " that an interrupted run had left were right and are used");
        }
        out.println("root " + manifest.state().root());
        out.println(volume + ": stored " + (manifest.kind() == Kind.FULL ? "a full" : "a delta from " + time(plan.from().orElseThrow()))
                + " in " + Size.format(outcome.storedSize()) + " for " + volume + "@" + time(plan.to()));
        String proved = outcome.openChunks() == 0
                ? ""
                : "; " + outcome.openChunks() + " packed chunks were proved piece by piece and not as a whole, since what they share with the earlier point could not be read";
        out.println("safe in " + vault.folder() + ": written, read back and compared, the root combined from its tables" + proved);
        out.println("what it was made of is still there; varve expire removes what is not needed any more");
    }

    private static String time(Point point) {
        return Manifest.text(point.manifest().time());
    }

    private void json(Stdio stdio, ConsolidationPlan plan, Optional<Outcome> outcome) {
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("volume", volume)
                    .member("vault", vault.folder().toString())
                    .member("dryRun", dryRun)
                    .member("kind", plan.kind().word())
                    .member("from", plan.from().map(ConsolidateVerb::time).orElse(null))
                    .member("to", time(plan.to()))
                    .member("root", plan.to().state().root().toString())
                    .member("idle", plan.idle())
                    .member("present", plan.present().map(archive -> archive.data().getFileName().toString()).orElse(null))
                    .member("readSize", plan.readSize())
                    .member("movedFrames", plan.movedFrames())
                    .member("movedSize", plan.movedSize())
                    .member("packedSize", plan.packedSize())
                    .member("estimatedSize", plan.storedSize())
                    .member("archive", outcome.map(made -> made.manifest().dataName()).orElse(null))
                    .member("storedSize", outcome.map(Outcome::storedSize).orElse(0L))
                    .member("reusedSize", outcome.map(Outcome::reusedSize).orElse(0L))
                    .member("provedChunks", outcome.map(Outcome::provedChunks).orElse(0L))
                    .member("openChunks", outcome.map(Outcome::openChunks).orElse(0L))
                    .array("madeOf");
            plan.archives().forEach(archive -> text.element(archive.data().getFileName().toString()));
        }
    }
}
