package varve.archive.foreign;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.ArchiveOptions;
import varve.archive.Archiver;
import varve.archive.block.FileDevice;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// Records what a foreign file holds as points in time: an image as one, a patch as one for each of its steps.
///
/// A patch is read to its end, and its effect is computed, before anything is recorded ([#plan]).
///
/// For one thread. Close it.
public final class Importing implements Closeable {

    private final Vault vault;
    private final String volume;
    private final ImportOptions options;
    private final InstantSource clock;
    private final LongConsumer progress;
    private final Consumer<String> warnings;
    private final @Nullable FileDevice file;
    private final @Nullable InputStream stream;
    private final String name;
    private final Form form;
    private @Nullable Parent parent;
    private @Nullable PatchTable table;
    private @Nullable ImportPlan plan;

    /// What a patch is applied to.
    private record Parent(Manifest manifest, ChainImage image) {}

    private Importing(
            Vault vault,
            String volume,
            ImportOptions options,
            InstantSource clock,
            LongConsumer progress,
            Consumer<String> warnings,
            @Nullable FileDevice file,
            @Nullable InputStream stream,
            String name)
            throws IOException {
        this.vault = vault;
        this.volume = volume;
        this.options = options;
        this.clock = clock;
        this.progress = progress;
        this.warnings = warnings;
        this.file = file;
        this.stream = stream;
        this.name = name;
        this.form = options.form().isPresent() ? options.form().get() : detect();
        if (form.kind() != Form.Kind.PATCH && options.parent().isPresent()) {
            throw new RefusedException(name + ": is an image (" + form.word() + "), which is complete and needs no parent");
        }
        if (form.kind() == Form.Kind.PATCH && options.size().isPresent()) {
            throw new RefusedException(name + ": is a patch (" + form.word() + "), and --size is about images");
        }
    }

    /// Opens a file.
    ///
    /// @param volume the history that it goes to
    /// @param progress gets bytes that are done
    public static Importing open(
            Vault vault, String volume, Path file, ImportOptions options, InstantSource clock, LongConsumer progress, Consumer<String> warnings)
            throws IOException {
        FileDevice device = FileDevice.open(file);
        try {
            return new Importing(vault, volume, options, clock, progress, warnings, device, null, file.toString());
        } catch (Throwable e) {
            device.close();
            throw e;
        }
    }

    /// Opens a stream, which has to hold an image.
    public static Importing open(
            Vault vault, String volume, InputStream stream, ImportOptions options, InstantSource clock, LongConsumer progress, Consumer<String> warnings)
            throws IOException {
        Importing importing =
                new Importing(vault, volume, options, clock, progress, warnings, null, new BufferedInputStream(stream, 1 << 16), "-");
        if (importing.form.kind() == Form.Kind.PATCH || importing.form.kind() == Form.Kind.QEMU) {
            throw new RefusedException("stdin: a " + importing.form.word() + " file is read more than once: give its name");
        }
        return importing;
    }

    private Form detect() throws IOException {
        if (stream != null) {
            return Form.detect(stream, "stdin");
        }
        try (InputStream in = new BufferedInputStream(Files.newInputStream(Path.of(name)))) {
            return Form.detect(in, name);
        }
    }

    public Form form() {
        return form;
    }

    /// {@return bytes of the image, or of the patch; -1 if that is not known}
    public long size() {
        return file == null || form.kind() == Form.Kind.PACKED ? -1 : file.size();
    }

    // ---- patches

    /// Reads a patch and finds out what it would do. Nothing is recorded.
    ///
    /// @throws RefusedException if it is not whole, or does not fit to the parent, or leads to another root than was said
    public ImportPlan plan(Duration lockWait) throws IOException, InterruptedException {
        List<Step> survey = form == Form.RBD_DIFF || form == Form.RBD_EXPORT ? survey() : List.of();
        parent = parent(survey);
        List<String> notes = new ArrayList<>();
        table = newTable();
        List<Step> steps = new ArrayList<>();
        try (Patch patch = Patch.open(file, form, table.size())) {
            for (Optional<Step> step = patch.next(table); step.isPresent(); step = patch.next(table)) {
                steps.add(step.get());
                notes.addAll(step.get().notes());
            }
        }
        if (steps.size() > 1 && options.archive().time().isPresent()) {
            throw new RefusedException(name + ": has " + steps.size() + " steps, and --time is about one");
        }
        Optional<String> checksum = steps.size() == 1 && steps.getFirst().checksum().isPresent() ? Optional.of(check(steps.getFirst().checksum().get())) : Optional.empty();
        int done = steps.size() > 1 ? recorded(steps) : 0;
        Archiver.Outcome outcome = archiver(options.archive().of(Optional.empty(), Optional.empty()).rehearsed(), bytes -> {})
                .archive(device(parent == null ? State.NOTHING : parent.manifest.state()), lockWait);
        checkRoot(outcome.state());
        plan = new ImportPlan(name, form, Optional.ofNullable(parent).map(Parent::manifest), List.copyOf(steps), done, table.records(),
                table.dataSize(), table.zeroSize(), outcome, checksum, List.copyOf(notes));
        return plan;
    }

    private void checkRoot(State state) throws RefusedException {
        Optional<Hash> expected = options.archive().root();
        if (expected.isPresent() && !expected.get().equals(state.root())) {
            throw new RefusedException(name + ": expected it to lead to root " + expected.get() + ", found " + state.root()
                    + ": it is another patch, or the parent is not what it was made for; nothing was recorded");
        }
    }

    /// reads all of it, to see what it says of itself
    private List<Step> survey() throws IOException {
        PatchSink nowhere = new PatchSink() {
            @Override
            public void resize(long size) {}

            @Override
            public void data(long offset, long length, long position) {}

            @Override
            public void zero(long offset, long length) {}
        };
        List<Step> steps = new ArrayList<>();
        try (Patch patch = Patch.open(file, form, 0)) {
            for (Optional<Step> step = patch.next(nowhere); step.isPresent(); step = patch.next(nowhere)) {
                steps.add(step.get());
            }
        }
        return steps;
    }

    private PatchTable newTable() throws IOException {
        Path scratch = Files.isDirectory(vault.folder()) ? vault.folder() : Path.of(System.getProperty("java.io.tmpdir"));
        Optional<Point> latest = history(volume).latest();
        int chunkLog = latest.isPresent() ? latest.get().manifest().chunkLog() : options.archive().chunkLog().orElse(Geometry.MAX_CHUNK_LOG);
        return new PatchTable(name, parent == null ? 0 : parent.image.size(), Geometry.MAX_CHUNKS << chunkLog, scratch);
    }

    private History history(String of) throws IOException {
        return vault.volume(of).exists() ? vault.volume(of).read().sound() : new History(List.of());
    }

    /// @param base the state from which it differs in what the table calls recent
    private PatchedDevice device(State base) {
        String point = parent == null ? "nothing" : parent.manifest.volume() + "@" + Manifest.text(parent.manifest.time());
        return new PatchedDevice(parent == null ? null : parent.image, file, table, base, point);
    }

    private @Nullable Parent parent(List<Step> survey) throws IOException {
        Optional<PointName> asked = options.parent();
        Optional<String> from = survey.isEmpty() ? Optional.empty() : survey.getFirst().from();
        if (!survey.isEmpty() && survey.getFirst().fromNothing()) {
            if (asked.isPresent()) {
                throw new RefusedException(name + ": starts from an empty image, not from " + asked.get() + "; leave --parent out");
            }
            return null;
        }
        if (asked.isEmpty() && from.isEmpty()) {
            throw new RefusedException(name + ": a patch (" + form.word() + "), and it " + form.caveat() + "; name the point that it is to be applied to "
                    + "with --parent");
        }
        PointName wanted = asked.isPresent() ? asked.get() : labelled(from.get());
        FoundPoint found = FoundPoint.find(vault, wanted);
        found.checkMeant(wanted);
        Manifest manifest = found.point().manifest();
        if (from.isPresent()) {
            checkFrom(from.get(), manifest);
        }
        return new Parent(manifest, new ChainImage(Chain.open(found.path())));
    }

    /// {@return the newest point of the volume that has a snapshot's name as its label}
    private PointName labelled(String snapshot) throws IOException {
        return points(volume, snapshot).reduce((a, b) -> b)
                .map(point -> new PointName(volume, Optional.of(point.state().root().toString())))
                .orElseThrow(() -> new NotFoundException(name + ": starts from snapshot \"" + snapshot + "\", and no point of " + volume
                        + " has that as its label; name the point with --parent"));
    }

    private Stream<Point> points(String of, String label) throws IOException {
        return history(of).points().stream().filter(point -> point.manifest().label().equals(Optional.of(label)));
    }

    /// A snapshot's name proves nothing, but where the volume knows it, it must not be another point's.
    private void checkFrom(String snapshot, Manifest manifest) throws IOException {
        List<Point> known = points(manifest.volume(), snapshot).toList();
        if (known.isEmpty()) {
            warnings.accept(name + ": starts from snapshot \"" + snapshot + "\"; no point of " + manifest.volume() + " has that as its label, so that "
                    + manifest.volume() + "@" + Manifest.text(manifest.time()) + " is that snapshot is your word alone");
        } else if (known.stream().noneMatch(point -> point.state().equals(manifest.state()))) {
            throw new RefusedException(name + ": starts from snapshot \"" + snapshot + "\", which is " + manifest.volume() + "@"
                    + Manifest.text(known.getLast().manifest().time()) + " by its label, not " + manifest.volume() + "@" + Manifest.text(manifest.time()));
        }
    }

    private String check(Checksum checksum) throws IOException {
        if (checksum.digest().isEmpty()) {
            warnings.accept(name + ": its checksum (" + checksum.name() + ") is of a kind that is not known here, and was not checked");
            return checksum.name() + ", not checked";
        }
        OptionalLong padded = checksum.matches(device(parent.manifest.state()), parent.image.size());
        if (padded.isEmpty()) {
            throw new RefusedException(name + ": its checksum is " + checksum + ", which the patched device does not have, however it is padded: the "
                    + "parent is not what the patch was made for, or the patch is damaged; nothing was recorded");
        }
        long padding = padded.getAsLong() - table.size();
        return checksum.name() + " matches" + (padding == 0 ? "" : ", padded with " + padding + " bytes of zeros");
    }

    /// {@return how many steps the newest points of the volume are, by name and source}
    private int recorded(List<Step> steps) throws IOException {
        List<Manifest> points = history(volume).points().stream().map(Point::manifest).toList();
        for (int count = Math.min(steps.size(), points.size()); count > 0; count--) {
            List<Manifest> newest = points.subList(points.size() - count, points.size());
            boolean all = newest.stream().allMatch(manifest -> manifest.source().equals(name));
            for (int i = 0; i < count && all; i++) {
                all = newest.get(i).label().equals(label(steps.get(i), steps.size()));
            }
            if (all) {
                return count;
            }
        }
        return 0;
    }

    /// {@return what a point is to be labelled with: the name of the snapshot, but if there is just one the user decides}
    private Optional<String> label(Step step, int steps) {
        Optional<String> own = options.archive().label();
        return steps == 1 ? own.or(step::to) : step.to().or(() -> own);
    }

    // ---- recording

    private Archiver archiver(ArchiveOptions how, LongConsumer done) {
        return new Archiver(vault, volume, how, clock, done, warnings);
    }

    /// Records what the file holds. Of a patch, [#plan] comes first.
    ///
    /// @param recorded gets what came of each step
    public void execute(Duration lockWait, Consumer<Archiver.Outcome> recorded) throws IOException, InterruptedException {
        if (form.kind() == Form.Kind.PATCH) {
            patch(lockWait, recorded);
            return;
        }
        Archiver archiver = archiver(options.archive(), progress);
        if (form == Form.QCOW2) {
            try (QemuImage image = QemuImage.open(Path.of(name))) {
                checkSize(image.size());
                recorded.accept(archiver.archive(image, lockWait));
            }
        } else if (form == Form.RAW && stream == null) {
            checkSize(file.size());
            recorded.accept(archiver.archive(file, lockWait));
        } else {
            InputStream packed = stream != null ? stream : new BufferedInputStream(Files.newInputStream(Path.of(name)), 1 << 16);
            try (Unpacking image = Unpacking.of(packed, form, stream != null ? "stdin" : name, options.size())) {
                recorded.accept(archiver.archive(image, name, lockWait));
            }
        }
    }

    private void checkSize(long size) throws RefusedException {
        if (options.size().isPresent() && options.size().getAsLong() != size) {
            throw new RefusedException(name + ": expected an image of " + options.size().getAsLong() + " bytes, found " + size);
        }
    }

    private void patch(Duration lockWait, Consumer<Archiver.Outcome> recorded) throws IOException, InterruptedException {
        if (plan.steps().size() == 1) {
            ArchiveOptions how = options.archive().labelled(label(plan.steps().getFirst(), 1))
                    .of(options.archive().time(), Optional.of(plan.outcome().state().root()));
            recorded.accept(archiver(how, progress).archive(device(parent == null ? State.NOTHING : parent.manifest.state()), lockWait));
            return;
        }
        table.close();
        table = newTable();
        State before = State.NOTHING;
        try (Patch patch = Patch.open(file, form, table.size())) {
            for (int i = 0; i < plan.steps().size(); i++) {
                table.forget();
                Step step = patch.next(table).orElseThrow(() -> new RefusedException(name + ": has changed since it was read first"));
                if (i < plan.done()) {
                    continue; // what comes after is compared with all of it
                }
                boolean last = i == plan.steps().size() - 1;
                ArchiveOptions how = options.archive().labelled(label(step, plan.steps().size()))
                        .of(Optional.empty(), last ? Optional.of(plan.outcome().state().root()) : Optional.empty());
                Archiver.Outcome outcome = archiver(how, progress).archive(device(before), lockWait);
                recorded.accept(outcome);
                before = outcome.state();
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (table != null) {
            table.close();
        }
        if (parent != null) {
            parent.image.close();
        }
        if (file != null) {
            file.close();
        }
    }
}
