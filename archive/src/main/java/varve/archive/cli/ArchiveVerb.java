package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.ArchiveOptions;
import varve.archive.ArchiveRun;
import varve.archive.ArchiveRun.Ended;
import varve.archive.Archiver.Outcome;
import varve.archive.Branch;
import varve.archive.RunOptions;
import varve.archive.SnapshotPlan;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.codec.FrameEncoder;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.hash.Hashing;
import varve.archive.seal.Keys;
import varve.archive.snapshot.Origin;
import varve.archive.snapshot.Origins;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;

/// `varve archive`: records a device as it is now.
@Command(
        name = "archive",
        description = {
            "Record a device as it is now: in full the first time, then what changed.",
            "",
            "Reading does not evict what others have in the page cache. The archive is complete, or it is not there: "
                    + "a run that dies is resumed by the next.",
            "",
            "Several devices are archived one after the other; one that fails does not stop the others, and the exit code is that of the first "
                    + "that failed.",
        })
public final class ArchiveVerb implements Verb {

    @Parameters(arity = "1..*", paramLabel = "SOURCE[=VOLUME]",
            description = "Block device, raw image file (holes are not read), - for a stream on stdin, or overlay:FILE for what varve serve --writable "
                    + "has written; or what is to be snapshotted: lvm:VG/LV, lvm-thin:VG/LV, rbd:POOL/IMAGE, drbd:RESOURCE; and the name of its history. "
                    + "Default: the source's last name without .img or .raw; of an overlay, the volume that it is on.")
    private List<String> sources = new ArrayList<>();

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--volume", paramLabel = "NAME",
            description = "The name of the history, if there is one SOURCE.")
    private @Nullable String volume;

    @Option(names = "--full", description = "Store the whole device even if there is a point to make a delta against.")
    private boolean full;

    @Option(names = "--level", paramLabel = "N", description = "zstd level. Default: 3.")
    private int level = ArchiveOptions.DEFAULT_LEVEL;

    @Option(names = "--chunk-size", paramLabel = "SIZE", converter = Size.Bytes.class,
            description = "For a new volume: a power of two from 64K to 16M. "
                    + "Default: 512K, more if the device has more than 16 TiB.")
    private @Nullable Long chunkSize;

    @Option(names = "--threads", paramLabel = "N",
            description = "How many threads read, hash and compress, three times as many with a change list. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--bwlimit", paramLabel = "RATE", converter = Size.Rate.class,
            description = "Read at most so much a second, such as 50M.")
    private long bwlimit;

    @Option(names = "--idle", description = "Let everybody else's disk reads go first (I/O priority class idle).")
    private boolean idle;

    @Option(names = "--label", paramLabel = "TEXT", description = "Note that goes with the point in time.")
    private @Nullable String label;

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Mixin
    private SealOption seal = new SealOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Mixin
    private ChangesOption changes = new ChangesOption();

    @Mixin
    private SnapshotOptions snapshots = new SnapshotOptions();

    @Mixin
    private HookOptions hooks = new HookOptions();

    @Option(names = {"-n", "--dry-run"}, description = "Say what would be stored, and store nothing; of snapshots, what would be taken and removed.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.RECORD;
    }

    private Keys secret = Keys.NONE; // one for all sources, so that a passphrase is asked for once

    /// A device, and the name of its history.
    ///
    /// @param origin if it is to be snapshotted
    private record Job(String source, String volume, Optional<Origin> origin) {}

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        secret = keys.keys();
        ArchiveOptions options = options().with(seal.recipients(secret));
        RunOptions around = changes.around(hooks.read(), line -> stdio.err().println(Printable.line(line)));
        lockWait.duration();
        List<Job> jobs = new ArrayList<>();
        for (String source : sources) {
            jobs.add(job(source));
        }
        if (jobs.size() > 1 && jobs.stream().map(Job::volume).distinct().count() < jobs.size()) {
            throw new UsageException("two sources of one volume; say which is which: SOURCE=VOLUME");
        }
        if (options.changes().isPresent() && (jobs.size() > 1 || jobs.getFirst().origin.isPresent())) {
            throw new UsageException("--changes: a list is of one source, and of none that is snapshotted here, which brings its own");
        }
        if (around.hooks().any() && jobs.stream().anyMatch(job -> job.source.equals("-") || kind(job.source).isPresent())) {
            throw new UsageException("--before, --after: not around a stream or an overlay");
        }
        Hashing.warmUp();
        try (JsonText text = new JsonText(json.asked() ? stdio.out() : new PrintStream(PrintStream.nullOutputStream()))) {
            if (jobs.size() == 1) {
                return archive(jobs.getFirst(), options, around, stdio, text);
            }
            text.array();
            return all(jobs, options, around, stdio, text);
        }
    }

    private ExitCode all(List<Job> jobs, ArchiveOptions options, RunOptions around, Stdio stdio, JsonText text) throws InterruptedException {
        ExitCode code = ExitCode.OK;
        List<String> failed = new ArrayList<>();
        for (Job job : jobs) {
            try {
                ExitCode end = archive(job, options, around, stdio, text);
                code = code == ExitCode.OK ? end : code;
            } catch (IOException | RuntimeException e) {
                ExitCode end = ExitCode.of(e);
                Main.explain(stdio, e, end);
                text.object().member("source", job.source).member("volume", job.volume)
                        .member("error", Main.message(e)).member("exitCode", end.number()).end();
                code = code == ExitCode.OK ? end : code;
                failed.add(job.volume);
            }
        }
        if (!failed.isEmpty()) {
            stdio.say(failed.size() + " of " + jobs.size() + " were not archived: " + String.join(", ", failed));
        }
        return code;
    }

    private Job job(String word) throws IOException {
        int equals = Files.exists(Path.of(word)) ? -1 : word.lastIndexOf('='); // no origin has one in its name
        String source = equals < 0 ? word : word.substring(0, equals);
        if (source.equals("-") && sources.size() > 1) {
            throw new UsageException("-: a stream is archived alone");
        }
        if (volume != null && (equals >= 0 || sources.size() > 1)) {
            throw new UsageException("--volume " + volume + ": say SOURCE=VOLUME, or --volume with one SOURCE");
        }
        Optional<Origin> origin = origin(source);
        return new Job(source, volume != null ? volume : equals < 0 ? defaultVolume(source, origin.isPresent()) : word.substring(equals + 1), origin);
    }

    private Optional<Origin> origin(String source) {
        try {
            return Origins.parse(source, snapshots.read());
        } catch (IllegalArgumentException e) {
            throw new UsageException(source + ": " + e.getMessage());
        }
    }

    /// Where it goes.
    record Place(Vault vault, boolean isNew) {}

    private interface Work {
        Ended with(ArchiveRun run) throws IOException, InterruptedException;
    }

    private ExitCode archive(Job job, ArchiveOptions options, RunOptions around, Stdio stdio, JsonText text)
            throws IOException, InterruptedException {
        if (job.origin.isPresent()) {
            Origin origin = job.origin.get();
            return dryRun
                    ? plan(job, origin, run(place(vault, job.volume, dryRun).vault, job.volume, options, around, Progress.silent(), stdio), stdio, text)
                    : archive(job, options, around, stdio, text, run -> run.archive(origin, lockWait.duration()));
        }
        Optional<SourceKind> kind = kind(job.source);
        if (kind.isPresent()) {
            try (Branch branch = kind.get().open(kind.get().name(job.source), vault.name().open().with(secret), stdio.warnings())) {
                ExitCode code = archive(job, options, around, stdio, text, run -> run.archive(branch, lockWait.duration()));
                if (!json.asked()) {
                    stdio.out().println("it is what " + branch.point() + " became with what was written" + (dryRun ? "" : "; the latest point of "
                            + job.volume + " is this one now"));
                }
                return code;
            }
        }
        return job.source.equals("-")
                ? archive(job, options, around, stdio, text, run -> run.archive(stdio.in(), lockWait.duration()))
                : archive(job, options, around, stdio, text, run -> run.archive(Path.of(job.source), lockWait.duration()));
    }

    private ExitCode archive(Job job, ArchiveOptions options, RunOptions around, Stdio stdio, JsonText text, Work work)
            throws IOException, InterruptedException {
        if (!around.hooks().any()) {
            checkSource(job); // before a vault is made for it
        }
        Place place = place(vault, job.volume, dryRun);
        ExitCode[] code = {ExitCode.OK};
        try (Progress shown = progress.start(stdio, "archive " + job.volume, -1)) {
            ArchiveRun run = run(place.vault.with(secret), job.volume, options, around, shown, stdio);
            LastWords.around(
                    () -> {
                        Ended ended = work.with(run);
                        shown.finish();
                        report(stdio, text, job, place, ended.outcome());
                        ended.troubles().forEach(stdio::say);
                        code[0] = code(ended);
                    },
                    () -> {
                        run.end();
                        stdio.err().println();
                        left(stdio, job.volume, "the same command carries on where this one stopped");
                    },
                    failure -> {
                        if (ExitCode.of(failure) == ExitCode.IO) {
                            left(stdio, job.volume, "deal with the error below; then give the same command again");
                        }
                    });
        }
        return code[0];
    }

    private void checkSource(Job job) throws IOException, InterruptedException {
        if (job.origin.isPresent()) {
            if (!place(vault, job.volume, true).vault.volume(job.volume).exists()) {
                job.origin.get().prepare();
            }
        } else if (!job.source.equals("-") && kind(job.source).isEmpty()) {
            FileDevice.open(Path.of(job.source)).close();
        }
    }

    private static ExitCode code(Ended ended) {
        if (!ended.troubles().isEmpty()) {
            return ExitCode.IO;
        }
        return ended.outcome().list().isEmpty() || ended.outcome().list().get().believed() ? ExitCode.OK : ExitCode.FINDINGS;
    }

    private ExitCode plan(Job job, Origin origin, ArchiveRun run, Stdio stdio, JsonText text) throws IOException, InterruptedException {
        SnapshotPlan plan = run.plan(origin);
        if (json.asked()) {
            text.object().member("volume", job.volume).member("dryRun", true).member("origin", origin.toString())
                    .member("base", plan.base().map(base -> base.snapshot().name()).orElse(null))
                    .member("basePoint", plan.base().map(base -> Manifest.text(base.point().manifest().time())).orElse(null))
                    .member("wholeDevice", plan.whole().orElse(null))
                    .array("remove");
            plan.leftovers().forEach(snapshot -> text.element(snapshot.name()));
            text.end().end();
            return ExitCode.OK;
        }
        plan.leftovers().forEach(snapshot -> stdio.out().println("would remove, since no delta needs it: " + snapshot));
        stdio.out().println("would take a snapshot of " + origin);
        plan.whole().ifPresentOrElse(
                why -> stdio.out().println("would read the whole device: " + why),
                () -> stdio.out().println("would read what has changed since " + plan.base().orElseThrow().snapshot()));
        plan.base().ifPresent(base -> stdio.out().println("would remove afterwards: " + base.snapshot()));
        return ExitCode.OK;
    }

    private void left(Stdio stdio, String name, String next) {
        if (!dryRun) {
            stdio.err().println("  left     " + name + " has no new point in time; what the vault held is as it was");
            stdio.err().println("  next     " + next);
        }
    }

    /// {@return the vault for a volume, which is made if there is none yet}
    static Place place(VaultOption vault, String name, boolean dryRun) throws IOException {
        Vault.checkVolumeName(name); // before a vault is made for it
        VaultName asked = vault.name();
        if (asked.label().isPresent() && asked.folder().isPresent()) {
            return new Place(asked.open(), false); // one that has to be somebody is there already
        }
        Vault known = Vault.openOrImagine(asked.place());
        Vault place = dryRun ? known : Vault.openOrCreate(asked.place());
        return new Place(place, !place.equals(known));
    }

    private static ArchiveRun run(Vault vault, String name, ArchiveOptions options, RunOptions around, Progress progress, Stdio stdio) {
        return new ArchiveRun(vault, name, options, around, InstantSource.system(), progress::expect, progress::add, stdio.warnings());
    }

    private ArchiveOptions options() {
        checkEffort(level, threads);
        Optional<String> note = Optional.ofNullable(label).map(ArchiveVerb::clean);
        ArchiveOptions plain = new ArchiveOptions(full, level, chunkLog(chunkSize), threads, bwlimit, idle, note, dryRun);
        return changes.read().map(plain::with).orElse(plain);
    }

    static void checkEffort(int level, int threads) {
        if (!FrameEncoder.levelIsKnown(level)) {
            throw new UsageException("--level " + level + ": zstd knows 1 to 22, and negative ones for speed");
        }
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
    }

    static OptionalInt chunkLog(@Nullable Long chunkSize) {
        if (chunkSize == null) {
            return OptionalInt.empty();
        }
        int log = Long.numberOfTrailingZeros(chunkSize);
        if (Long.bitCount(chunkSize) != 1 || log < Geometry.MIN_CHUNK_LOG || log > Geometry.MAX_CHUNK_LOG) {
            throw new UsageException("--chunk-size " + chunkSize + ": expected a power of two from 64K to 16M");
        }
        return OptionalInt.of(log);
    }

    /// a label is UTF-8 text in a file of bounded size
    static String clean(String label) {
        if (label.length() > 1024) {
            throw new UsageException("--label: at most 1024 characters");
        }
        return new String(label.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    private static Optional<SourceKind> kind(String source) {
        return Files.exists(Path.of(source)) ? Optional.empty() : SourceKind.of(source);
    }

    private static String defaultVolume(String source, boolean snapshotted) throws IOException {
        if (snapshotted) {
            return Origins.lastName(source);
        }
        if (source.equals("-")) {
            throw new UsageException("--volume NAME is needed for a stream");
        }
        Optional<SourceKind> kind = kind(source);
        if (kind.isPresent()) {
            return kind.get().volume(kind.get().name(source));
        }
        Path file = Path.of(source).getFileName(); // the root of all folders has none, and is no source either
        String name = file == null ? "" : file.toString().replaceFirst("\\.(img|raw)$", "");
        if (!name.isEmpty() && !Manifest.isVolumeName(name) && !Files.isDirectory(Path.of(source))) {
            throw new UsageException("a volume cannot be called \"" + name + "\" as the source is: give --volume NAME");
        }
        return name;
    }

    private void report(Stdio stdio, JsonText text, Job job, Place place, Outcome outcome) {
        warnIfSmaller(stdio, job, outcome);
        if (json.asked()) {
            text.object()
                    .member("volume", job.volume)
                    .member("vault", place.vault.folder().toString())
                    .member("vaultId", place.vault.id().toString())
                    .member("dryRun", dryRun)
                    .member("kind", outcome.kind().word())
                    .member("time", outcome.manifest().map(m -> Manifest.text(m.time())).orElse(null))
                    .member("archive", outcome.manifest().map(m -> m.dataName()).orElse(null))
                    .member("size", outcome.state().size())
                    .member("root", outcome.state().root().toString())
                    .member("unchanged", unchanged(outcome))
                    .member("changedSize", outcome.changedSize())
                    .member("payloadSize", outcome.payloadSize())
                    .member("storedSize", outcome.storedSize())
                    .member("reusedSize", outcome.reusedSize());
            outcome.list().ifPresent(list -> ChangesOption.json(text, list));
            text.end();
            return;
        }
        String name = job.volume;
        String size = Size.format(outcome.state().size());
        String verb = dryRun ? "would store" : "stored";
        if (outcome.reusedSize() > 0) {
            stdio.out().println("resumed: " + Size.format(outcome.reusedSize())
                    + " that an interrupted run had left were right and are used");
        }
        stdio.out().println("root " + outcome.state().root());
        if (unchanged(outcome)) {
            stdio.out().println(name + ": nothing has changed since the latest point in time"
                    + when(outcome, "; recorded that as "));
        } else if (outcome.kind() == Kind.FULL) {
            stdio.out().println(name + ": " + verb + " a full of " + size
                    + " in " + Size.format(outcome.storedSize()) + when(outcome, " as "));
        } else {
            stdio.out().println(name + ": " + verb + " a delta of " + Size.format(outcome.changedSize()) + " changed of " + size + before(outcome)
                    + " in " + Size.format(outcome.storedSize()) + when(outcome, " as "));
        }
        outcome.list().ifPresent(list -> stdio.out().println(ChangesOption.text(list)));
        if (!dryRun) {
            stdio.out().println("safe in " + place.vault.folder() + (place.isNew ? ", a new vault" : "") + ": written, read back and compared");
        }
    }

    private static void warnIfSmaller(Stdio stdio, Job job, Outcome outcome) {
        long size = outcome.state().size();
        long before = outcome.parent().size();
        if (outcome.kind() == Kind.DELTA && size < before) {
            stdio.warn(job.volume + ": smaller than at the point before: " + size + " bytes, then " + before
                    + (job.source.equals("-") ? "; did what sends the stream end early?" : ""));
        }
    }

    private static String before(Outcome outcome) {
        long size = outcome.parent().size();
        return size == outcome.state().size() ? "" : " (before: " + Size.format(size) + ")";
    }

    static boolean unchanged(Outcome outcome) {
        return outcome.kind() == Kind.DELTA && outcome.parent().equals(outcome.state());
    }

    private static String when(Outcome outcome, String before) {
        return outcome.manifest().isPresent() ? before + when(outcome) : "";
    }

    private static String when(Outcome outcome) {
        return outcome.manifest().map(m -> m.volume() + "@" + Manifest.text(m.time())).orElse("");
    }
}
