package varve.archive.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver;
import varve.archive.Archiver.Outcome;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.codec.FrameEncoder;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.hash.Hashing;
import varve.archive.vault.Vault;

/// `varve archive`: records a device as it is now.
@Command(
        name = "archive",
        description = {
            "Record a device as it is now: in full the first time, then what changed.",
            "",
            "Reading does not evict what others have in the page cache. The archive is complete, or it is not there: "
                    + "a run that dies is resumed by the next.",
        })
public final class ArchiveVerb implements Verb {

    private static final long MOST_LOCK_WAIT = Duration.ofDays(365).toSeconds();

    @Parameters(index = "0", paramLabel = "SOURCE",
            description = "Block device, raw image file (holes are not read), or - for a stream on stdin.")
    private String source = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--volume", paramLabel = "NAME",
            description = "Name of the device's history. Default: the source's file name without .img or .raw.")
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
            description = "How many threads read, hash and compress. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--bwlimit", paramLabel = "RATE", converter = Size.Rate.class,
            description = "Read at most so much a second, such as 50M.")
    private long bwlimit;

    @Option(names = "--idle", description = "Let everybody else's disk reads go first (I/O priority class idle).")
    private boolean idle;

    @Option(names = "--label", paramLabel = "TEXT", description = "Note that goes with the point in time.")
    private @Nullable String label;

    @Option(names = "--lock-wait", paramLabel = "SECONDS",
            description = "How long to wait for another run on the same volume. Default: 0.")
    private long lockWait;

    @Option(names = {"-n", "--dry-run"}, description = "Say what would be stored, and store nothing.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    private boolean vaultIsNew;

    @Override
    public Purpose purpose() {
        return Purpose.RECORD;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        ArchiveOptions options = options();
        Hashing.warmUp();
        String name = volume == null ? defaultVolume() : volume;
        Path folder = vault.folder();
        Duration wait = Duration.ofSeconds(lockWait);
        if (source.equals("-")) {
            Vault place = place(folder, name);
            archive(stdio, place, name, -1, options, archiver -> archiver.archive(stdio.in(), wait));
            return ExitCode.OK;
        }
        try (FileDevice device = FileDevice.open(Path.of(source))) {
            Vault place = place(folder, name);
            archive(stdio, place, name, device.size(), options, archiver -> archiver.archive(device, wait));
        }
        return ExitCode.OK;
    }

    private interface Run {
        Outcome with(Archiver archiver) throws IOException, InterruptedException;
    }

    private void archive(Stdio stdio, Vault place, String name, long size, ArchiveOptions options, Run run)
            throws IOException, InterruptedException {
        LastWords.around(
                () -> {
                    try (Progress shown = progress.start(stdio, "archive " + name, size)) {
                        Outcome outcome = run.with(archiver(place, name, options, shown, stdio));
                        shown.finish();
                        report(stdio, place, name, outcome);
                    }
                },
                () -> {
                    stdio.err().println();
                    left(stdio, name, "the same command carries on where this one stopped");
                },
                failure -> {
                    if (ExitCode.of(failure) == ExitCode.IO) {
                        left(stdio, name, "deal with the error below; then give the same command again");
                    }
                });
    }

    private void left(Stdio stdio, String name, String next) {
        if (!dryRun) {
            stdio.err().println("  left     " + name + " has no new point in time; what the vault held is as it was");
            stdio.err().println("  next     " + next);
        }
    }

    private Vault place(Path folder, String name) throws IOException {
        Vault.checkVolumeName(name); // before a vault is made for it
        Vault known = Vault.openOrImagine(folder);
        if (dryRun) {
            return known;
        }
        Vault vault = Vault.openOrCreate(folder);
        vaultIsNew = !vault.equals(known);
        return vault;
    }

    private static Archiver archiver(Vault vault, String name, ArchiveOptions options, Progress progress, Stdio stdio) {
        Consumer<String> warnings = warning -> stdio.say("warning: " + warning);
        return new Archiver(vault, name, options, InstantSource.system(), progress::add, warnings);
    }

    private ArchiveOptions options() {
        if (!FrameEncoder.levelIsKnown(level)) {
            throw new UsageException("--level " + level + ": zstd knows 1 to 22, and negative ones for speed");
        }
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        if (lockWait < 0 || lockWait > MOST_LOCK_WAIT) {
            throw new UsageException("--lock-wait " + lockWait + ": expected 0 to " + MOST_LOCK_WAIT);
        }
        Optional<String> note = Optional.ofNullable(label).map(ArchiveVerb::clean);
        return new ArchiveOptions(full, level, chunkLog(), threads, bwlimit, idle, note, dryRun);
    }

    private OptionalInt chunkLog() {
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
    private static String clean(String label) {
        if (label.length() > 1024) {
            throw new UsageException("--label: at most 1024 characters");
        }
        return new String(label.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    private String defaultVolume() {
        if (source.equals("-")) {
            throw new UsageException("--volume NAME is needed for a stream");
        }
        Path file = Path.of(source).getFileName(); // the root of all folders has none, and is no source either
        String name = file == null ? "" : file.toString().replaceFirst("\\.(img|raw)$", "");
        if (!name.isEmpty() && !Manifest.isVolumeName(name)) {
            throw new UsageException("a volume cannot be called \"" + name + "\" as the source is: give --volume NAME");
        }
        return name;
    }

    private void report(Stdio stdio, Vault place, String name, Outcome outcome) {
        warnIfSmaller(stdio, name, outcome);
        if (json.asked()) {
            try (JsonText text = new JsonText(stdio.out())) {
                text.object()
                        .member("volume", name)
                        .member("vault", place.folder().toString())
                        .member("vaultId", place.id().toString())
                        .member("dryRun", dryRun)
                        .member("kind", outcome.kind().word())
                        .member("time", outcome.manifest().map(m -> Manifest.text(m.time())).orElse(null))
                        .member("archive", outcome.manifest().map(m -> m.baseName() + ".zst").orElse(null))
                        .member("size", outcome.state().size())
                        .member("root", outcome.state().root().toString())
                        .member("unchanged", unchanged(outcome))
                        .member("changedSize", outcome.changedSize())
                        .member("payloadSize", outcome.payloadSize())
                        .member("storedSize", outcome.storedSize())
                        .member("reusedSize", outcome.reusedSize());
            }
            return;
        }
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
        if (!dryRun) {
            stdio.out().println("safe in " + place.folder() + (vaultIsNew ? ", a new vault" : "") + ": written, read back and compared");
        }
    }

    private void warnIfSmaller(Stdio stdio, String name, Outcome outcome) {
        long size = outcome.state().size();
        long before = outcome.parent().size();
        if (outcome.kind() == Kind.DELTA && size < before) {
            stdio.say("warning: " + name + ": smaller than at the point before: " + size + " bytes, then " + before
                    + (source.equals("-") ? "; did what sends the stream end early?" : ""));
        }
    }

    private static String before(Outcome outcome) {
        long size = outcome.parent().size();
        return size == outcome.state().size() ? "" : " (before: " + Size.format(size) + ")";
    }

    private static boolean unchanged(Outcome outcome) {
        return outcome.kind() == Kind.DELTA && outcome.parent().equals(outcome.state());
    }

    private static String when(Outcome outcome, String before) {
        return outcome.manifest().isPresent() ? before + when(outcome) : "";
    }

    private static String when(Outcome outcome) {
        return outcome.manifest().map(m -> m.volume() + "@" + Manifest.text(m.time())).orElse("");
    }
}
