package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver.Outcome;
import varve.archive.block.FileDevice;
import varve.archive.foreign.Form;
import varve.archive.foreign.ImportOptions;
import varve.archive.foreign.ImportPlan;
import varve.archive.foreign.Importing;
import varve.archive.foreign.Step;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// `varve import`: records what another tool has written.
@Command(
        name = "import",
        description = {
            "Record what another tool has written: an image, packed or not, or a patch that is applied to a point in time.",
            "",
            "What the file is, is seen from its first bytes. A patch is read to its end, and what it does to the root is shown, before anything is "
                    + "recorded. What a form cannot promise, such as that the patch is for this parent, is said.",
        })
public final class ImportVerb implements Verb {

    @Parameters(paramLabel = "FILE", description = "What to import; - for an image on stdin.")
    private String file = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--volume", paramLabel = "NAME",
            description = "The history that it goes to. Default: that of the parent, else the file's name without .img, .gz and the like.")
    private @Nullable String volume;

    @Option(names = "--parent", paramLabel = "POINT",
            description = "The point in time that a patch is applied to, such as latest, 2026-11-20, or VOLUME@POINT of another volume.")
    private @Nullable String parent;

    @Option(names = "--format", paramLabel = "FORM",
            description = "What the file is, if that is not seen: raw, gz, xz, bz2, lz4, zst, qcow2, bdsync, lvmsync, lvmsync-snapback, rbd-diff, "
                    + "rbd-export, blocksync-fast, lvm-cow.")
    private @Nullable String format;

    @Option(names = "--expect-root", paramLabel = "ROOT", description = "Record it only if this is what it leads to: what b3sum prints of the device.")
    private @Nullable String expectRoot;

    @Option(names = "--size", paramLabel = "SIZE", converter = Size.Bytes.class, description = "Record an image only if it has this size.")
    private @Nullable Long size;

    @Option(names = "--time", paramLabel = "TIME",
            description = "When the device was so, such as 2026-11-20T02:00Z; later than the latest point of the volume. Default: now.")
    private @Nullable String time;

    @Option(names = "--label", paramLabel = "TEXT", description = "Note that goes with the point in time. Default: the snapshot's name, if the file has one.")
    private @Nullable String label;

    @Option(names = "--level", paramLabel = "N", description = "zstd level. Default: 3.")
    private int level = ArchiveOptions.DEFAULT_LEVEL;

    @Option(names = "--chunk-size", paramLabel = "SIZE", converter = Size.Bytes.class, description = "For a new volume: a power of two from 64K to 16M. Default: 512K.")
    private @Nullable Long chunkSize;

    @Option(names = "--threads", paramLabel = "N", description = "How many threads read, hash and compress. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Option(names = {"-n", "--dry-run"}, description = "Say what would be recorded, and record nothing.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.RECORD;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Optional<PointName> base = Optional.ofNullable(parent).map(this::parent);
        String history = volume(base);
        ImportOptions options = new ImportOptions(form(), base.map(name -> name.volume().isEmpty() ? new PointName(history, name.point()) : name),
                size == null ? OptionalLong.empty() : OptionalLong.of(size), how());
        lockWait.duration();
        if (!file.equals("-")) {
            FileDevice.open(Path.of(file)).close(); // before a vault is made for it
        }
        ArchiveVerb.Place place = ArchiveVerb.place(vault, history, dryRun);
        Vault open = keys.open(place.vault());
        try (Progress shown = progress.start(stdio, "import " + history, -1);
                Importing importing = file.equals("-")
                        ? Importing.open(open, history, stdio.in(), options, InstantSource.system(), shown::add, stdio.warnings())
                        : Importing.open(open, history, Path.of(file), options, InstantSource.system(), shown::add, stdio.warnings())) {
            run(importing, place, history, shown, stdio);
        }
        return ExitCode.OK;
    }

    private void run(Importing importing, ArchiveVerb.Place place, String history, Progress shown, Stdio stdio)
            throws IOException, InterruptedException {
        List<Outcome> recorded = new ArrayList<>();
        Optional<ImportPlan> plan = Optional.empty();
        if (importing.form().kind() == Form.Kind.PATCH) {
            plan = Optional.of(importing.plan(lockWait.duration()));
            show(stdio, plan.get(), history);
        } else if (!importing.form().caveat().isEmpty()) {
            stdio.say(file + ": " + importing.form().word() + ": " + importing.form().caveat());
        }
        if (plan.isEmpty() || !dryRun) {
            LastWords.around(
                    () -> importing.execute(lockWait.duration(), recorded::add),
                    () -> stdio.err().println("\n  left     what was recorded stays; the same command carries on"),
                    failure -> {});
        }
        shown.finish();
        if (json.asked()) {
            json(stdio.out(), importing, plan, place, history, recorded);
            return;
        }
        if (plan.isPresent() && plan.get().steps().size() > 1 && plan.get().done() == plan.get().steps().size()) {
            stdio.out().println(history + ": all of " + file + " is recorded already");
            return;
        }
        recorded.forEach(outcome -> report(stdio, history, importing.form(), outcome));
        if (!dryRun) {
            stdio.out().println("safe in " + place.vault().folder() + (place.isNew() ? ", a new vault" : "") + ": written, read back and compared");
        }
    }

    // ---- options

    private PointName parent(String text) {
        return text.indexOf('@') >= 0 ? PointName.parse(text) : new PointName("", Optional.of(text));
    }

    private String volume(Optional<PointName> base) {
        if (volume != null) {
            return volume;
        }
        if (base.isPresent() && !base.get().volume().isEmpty()) {
            return base.get().volume();
        }
        Path name = Path.of(file).getFileName();
        if (file.equals("-") || base.isPresent() || name == null) {
            throw new UsageException("which history? give --volume NAME" + (base.isPresent() ? ", or --parent VOLUME@POINT" : ""));
        }
        String derived = Form.volumeName(name.toString()).orElse("");
        if (!Manifest.isVolumeName(derived)) {
            throw new UsageException("a volume cannot be called \"" + derived + "\" as the file is: give --volume NAME");
        }
        return derived;
    }

    private Optional<Form> form() {
        try {
            return Optional.ofNullable(format).map(Form::of);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--format: " + e.getMessage());
        }
    }

    private ArchiveOptions how() {
        ArchiveVerb.checkEffort(level, threads);
        return new ArchiveOptions(false, level, ArchiveVerb.chunkLog(chunkSize), threads, 0, false,
                Optional.ofNullable(label).map(ArchiveVerb::clean), dryRun).of(instant(), root());
    }

    private Optional<Instant> instant() {
        try {
            return Optional.ofNullable(time).map(text -> OffsetDateTime.parse(text).toInstant().truncatedTo(ChronoUnit.MILLIS));
        } catch (DateTimeException e) {
            throw new UsageException("--time " + time + ": expected a time like 2026-11-20T02:00Z");
        }
    }

    private Optional<Hash> root() {
        if (expectRoot != null && !expectRoot.matches("[0-9a-f]{64}")) {
            throw new UsageException("--expect-root " + expectRoot + ": expected 64 hexadecimal digits, as b3sum prints them");
        }
        return Optional.ofNullable(expectRoot).map(Hash::parse);
    }

    // ---- what is said

    private static void show(Stdio stdio, ImportPlan plan, String history) {
        PrintStream err = stdio.err();
        int steps = plan.steps().size();
        err.println("  import   " + plan.file() + ", " + plan.form().word() + (steps == 1 ? "" : ", " + steps + " points in time: "
                + String.join(", ", plan.steps().stream().limit(20).map(ImportVerb::name).toList()) + (steps > 20 ? ", ..." : "")));
        if (plan.done() > 0) {
            err.println("  recorded " + plan.done() + " of them already, by an earlier run");
        }
        err.println("  parent   " + plan.parent().map(m -> m.volume() + "@" + Manifest.text(m.time())).orElse("none: it starts from nothing"));
        err.println("  holds    " + plan.records() + (plan.records() == 1 ? " record" : " records") + ", " + Size.format(plan.dataSize()) + " of data and "
                + Size.format(plan.zeroSize()) + " of zeros");
        err.println("  size     " + plan.parent().map(m -> sizes(m.state().size(), plan.outcome().state().size()))
                .orElse(Size.format(plan.outcome().state().size())));
        plan.parent().ifPresent(m -> err.println("  root     " + m.state().root() + " before"));
        err.println("  root     " + plan.outcome().state().root() + " after" + (plan.parent().map(m -> m.state().equals(plan.outcome().state())).orElse(false)
                ? ": it changes nothing" : ""));
        plan.checksum().ifPresent(text -> err.println("  checksum " + text));
        err.println("  stores   " + (plan.outcome().kind() == Kind.FULL ? "a full" : "a delta of " + Size.format(plan.outcome().changedSize()) + " changed")
                + " in " + history);
        plan.notes().forEach(note -> stdio.say(plan.file() + ": " + note));
        if (!plan.form().caveat().isEmpty() && plan.checksum().isEmpty()) {
            stdio.say(plan.file() + ": a patch of this form " + plan.form().caveat() + "; compare the root with b3sum of the device, or give --expect-root");
        }
    }

    private static String sizes(long before, long after) {
        return before == after ? Size.format(after) : Size.format(before) + " before, " + Size.format(after) + " after";
    }

    private static String name(Step step) {
        return step.to().map(Printable::line).orElse("the image itself");
    }

    private void report(Stdio stdio, String history, Form form, Outcome outcome) {
        String verb = dryRun ? "would store" : "stored";
        String point = outcome.manifest().map(m -> " as " + m.volume() + "@" + Manifest.text(m.time())
                + m.label().map(text -> " (" + Printable.line(text) + ")").orElse("")).orElse("");
        stdio.out().println("root " + outcome.state().root());
        stdio.out().println(history + ": " + verb + " " + (ArchiveVerb.unchanged(outcome) ? "that nothing has changed since the latest point in time"
                : outcome.kind() == Kind.FULL ? "a full of " + Size.format(outcome.state().size()) + " in " + Size.format(outcome.storedSize())
                        : "a delta of " + Size.format(outcome.changedSize()) + " changed of " + Size.format(outcome.state().size()) + " in "
                                + Size.format(outcome.storedSize()))
                + " from " + form.word() + point);
    }

    private void json(
            PrintStream out, Importing importing, Optional<ImportPlan> plan, ArchiveVerb.Place place, String history, List<Outcome> recorded)
            throws IOException {
        try (JsonText text = new JsonText(out)) {
            text.object()
                    .member("volume", history)
                    .member("vault", place.vault().folder().toString())
                    .member("vaultId", place.vault().id().toString())
                    .member("file", file)
                    .member("format", importing.form().word())
                    .member("caveat", importing.form().caveat())
                    .member("dryRun", dryRun);
            plan.ifPresent(p -> text
                    .member("parentRoot", p.parent().map(m -> m.state().root().toString()).orElse(null))
                    .member("parentTime", p.parent().map(m -> Manifest.text(m.time())).orElse(null))
                    .member("root", p.outcome().state().root().toString())
                    .member("size", p.outcome().state().size())
                    .member("steps", p.steps().size())
                    .member("recordedBefore", p.done())
                    .member("records", p.records())
                    .member("dataSize", p.dataSize())
                    .member("zeroSize", p.zeroSize())
                    .member("checksum", p.checksum().orElse(null)));
            text.array("points");
            for (Outcome outcome : recorded) {
                text.object()
                        .member("time", outcome.manifest().map(m -> Manifest.text(m.time())).orElse(null))
                        .member("archive", outcome.manifest().map(m -> m.dataName()).orElse(null))
                        .member("label", outcome.manifest().flatMap(Manifest::label).orElse(null))
                        .member("kind", outcome.kind().word())
                        .member("size", outcome.state().size())
                        .member("root", outcome.state().root().toString())
                        .member("changedSize", outcome.changedSize())
                        .member("payloadSize", outcome.payloadSize())
                        .member("storedSize", outcome.storedSize())
                        .end();
            }
            text.end().end();
        }
    }
}
