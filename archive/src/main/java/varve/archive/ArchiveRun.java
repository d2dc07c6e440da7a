package varve.archive;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import varve.archive.Archiver.Outcome;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.changes.ChangeList;
import varve.archive.changes.Listing;
import varve.archive.format.Manifest;
import varve.archive.snapshot.Origin;
import varve.archive.snapshot.Owner;
import varve.archive.snapshot.Snapshot;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;

/// One run that archives one source: what the operator wants done before and after it, and, if the source can be snapshotted, a snapshot that
/// the run takes, archives by the list of what has changed since the one that the run before it kept, and keeps in its place.
///
/// All of it happens while the run is the only writer of the volume, so that no two runs are at the same snapshots. Whatever step a run dies at,
/// the next one finds which snapshots it left ([SnapshotPlan]) and removes them.
///
/// The thread that works calls [#archive]; another may call [#end].
public final class ArchiveRun {

    private static final Duration UNWINDING = Duration.ofSeconds(60);

    private final Vault vault;
    private final String volume;
    private final ArchiveOptions options;
    private final RunOptions around;
    private final InstantSource clock;
    private final LongConsumer size;
    private final Consumer<String> warnings;
    private final Archiver archiver;
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<String> troubles = new ArrayList<>();
    private volatile boolean ended;
    private volatile boolean cleans;

    /// What came of it.
    ///
    /// @param troubles what went wrong afterwards, when the archive was safe already
    public record Ended(Outcome outcome, List<String> troubles) {}

    /// @param volume its name
    /// @param size gets the size of the source when it is known
    /// @param progress gets the bytes of the device that are done, as they are
    /// @param warnings get what the user should know although it is no error
    public ArchiveRun(
            Vault vault,
            String volume,
            ArchiveOptions options,
            RunOptions around,
            InstantSource clock,
            LongConsumer size,
            LongConsumer progress,
            Consumer<String> warnings) {
        this.vault = vault;
        this.volume = volume;
        this.options = options;
        this.around = around;
        this.clock = clock;
        this.size = size;
        this.warnings = warnings;
        this.archiver = new Archiver(vault, volume, options, clock, progress, warnings);
    }

    /// Archives a device or an image.
    public Ended archive(Path device, Duration lockWait) throws IOException, InterruptedException {
        if (options.dryRun()) {
            try (FileDevice source = FileDevice.open(device)) {
                size.accept(source.size());
                return new Ended(archiver.archive(source, lockWait), List.of());
            }
        }
        return run(device.toString(), lockWait, receipt -> {
            try (FileDevice source = FileDevice.open(device)) {
                return record(source, options.changes(), receipt);
            }
        });
    }

    /// Archives a branch.
    public Ended archive(Branch branch, Duration lockWait) throws IOException, InterruptedException {
        size.accept(branch.size());
        return new Ended(archiver.archive(branch, lockWait), List.of());
    }

    /// Archives a stream of unknown size.
    public Ended archive(InputStream stream, Duration lockWait) throws IOException, InterruptedException {
        return new Ended(archiver.archive(stream, lockWait), List.of());
    }

    /// Archives a snapshot of a device, and keeps it for the next run.
    public Ended archive(Origin origin, Duration lockWait) throws IOException, InterruptedException {
        return run(origin.toString(), lockWait, receipt -> snapshot(origin, receipt));
    }

    /// {@return what [#archive] would do with snapshots}
    public SnapshotPlan plan(Origin origin) throws IOException, InterruptedException {
        return plan(origin.prepare());
    }

    private SnapshotPlan plan(List<Snapshot> found) throws IOException {
        return SnapshotPlan.of(archiver.history(), found, owner(), options.full());
    }

    private Owner owner() {
        return new Owner(vault.id(), volume);
    }

    /// Ends the run early, and waits until it has cleaned up.
    public void end() {
        ended = true;
        try {
            if (cleans) {
                over.await(UNWINDING.toSeconds(), TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void checkNotEnded() throws DeviceException {
        if (ended) {
            throw new DeviceException("the run was ended from outside");
        }
    }

    private Ended run(String source, Duration lockWait, Archiver.Turn turn) throws IOException, InterruptedException {
        cleans = true;
        try {
            Outcome outcome = archiver.asOnlyWriter(source, lockWait, receipt -> hooked(source, turn, receipt));
            return new Ended(outcome, List.copyOf(troubles));
        } finally {
            over.countDown();
        }
    }

    // ---- hooks

    private Outcome hooked(String source, Archiver.Turn turn, Receipt.Draft receipt) throws IOException, InterruptedException {
        Outcome outcome = null;
        Exception failure = null;
        try {
            if (around.hooks().before().isPresent()) {
                around.hooks().run("--before", around.hooks().before().get(), environment(source, "before"), around.said());
            }
            checkNotEnded();
            outcome = turn.take(receipt);
            return outcome;
        } catch (IOException | InterruptedException | RuntimeException e) {
            failure = e;
            throw e;
        } finally {
            after(source, outcome, failure);
        }
    }

    private void after(String source, @Nullable Outcome outcome, @Nullable Exception failure) throws InterruptedException {
        if (around.hooks().after().isEmpty()) {
            return;
        }
        Map<String, String> environment = environment(source, "after");
        environment.put("VARVE_RESULT", outcome == null ? "failed" : outcome.list().filter(list -> !list.believed()).isPresent() ? "wrong-list" : "ok");
        if (failure != null) {
            environment.put("VARVE_ERROR", failure.getMessage() == null ? failure.toString() : failure.getMessage());
        }
        if (outcome != null) {
            environment.put("VARVE_ROOT", outcome.state().root().toString());
            environment.put("VARVE_SIZE", String.valueOf(outcome.state().size()));
            outcome.manifest().ifPresent(manifest -> {
                environment.put("VARVE_POINT", volume + "@" + Manifest.text(manifest.time()));
                environment.put("VARVE_ARCHIVE", vault.folder().resolve(volume).resolve(manifest.dataName()).toString());
            });
        }
        try {
            around.hooks().run("--after", around.hooks().after().get(), environment, around.said());
        } catch (IOException e) {
            troubles.add(e.getMessage());
            if (failure != null) {
                failure.addSuppressed(e);
                warnings.accept(e.getMessage());
            }
        }
    }

    private Map<String, String> environment(String source, String hook) {
        return new TreeMap<>(Map.of(
                "VARVE_HOOK", hook,
                "VARVE_SOURCE", source,
                "VARVE_VOLUME", volume,
                "VARVE_VAULT", vault.folder().toAbsolutePath().toString(),
                "VARVE_VAULT_ID", vault.id().toString()));
    }

    // ---- snapshots

    private Outcome snapshot(Origin origin, Receipt.Draft receipt) throws IOException, InterruptedException {
        for (String mended : origin.mend(owner(), true)) {
            warnings.accept("an earlier run had left this, and it is put right: " + mended);
        }
        SnapshotPlan plan = plan(origin.prepare());
        for (Snapshot leftover : plan.leftovers()) {
            origin.remove(leftover);
            warnings.accept("removed a snapshot that no delta needs any more: " + leftover);
        }
        checkNotEnded();
        Snapshot taken = origin.take(owner(), clock.instant());
        Outcome outcome = null;
        try {
            outcome = record(origin, plan, taken, receipt);
        } finally {
            if (outcome == null) {
                clean(origin, taken);
            }
        }
        plan.base().ifPresent(base -> clean(origin, base.snapshot()));
        return outcome;
    }

    private Outcome record(Origin origin, SnapshotPlan plan, Snapshot taken, Receipt.Draft receipt) throws IOException, InterruptedException {
        try (BlockSource source = origin.open(taken)) {
            Optional<ListedChanges> changes = Optional.empty();
            if (plan.whole().isPresent()) {
                if (!archiver.history().archives().isEmpty() && !options.full()) {
                    warnings.accept(origin + ": THE WHOLE DEVICE IS READ: " + plan.whole().get());
                }
            } else {
                changes = changes(origin, plan.base().orElseThrow(), taken, source.size());
            }
            return record(source, changes, receipt);
        }
    }

    /// the list is read here and not by the archiver, since what is wrong with it is no reason to go without an archive
    private Optional<ListedChanges> changes(Origin origin, SnapshotPlan.Base base, Snapshot taken, long size) throws InterruptedException {
        try {
            ChangeList list = origin.changes(base.snapshot(), taken, size);
            Listing listing = Listing.of(origin.listName(base.snapshot(), taken), list);
            return Optional.of(new ListedChanges(
                    listing, Optional.of(base.point().state().root().toString()), around.sample(), around.stripeDays(), around.random()));
        } catch (IOException e) {
            warnings.accept(origin + ": THE WHOLE DEVICE IS READ: there is no list of what has changed: " + e.getMessage());
            return Optional.empty();
        }
    }

    private Outcome record(BlockSource source, Optional<ListedChanges> changes, Receipt.Draft receipt) throws IOException {
        size.accept(source.size());
        return archiver.record(new Ending(source), changes, receipt);
    }

    private void clean(Origin origin, Snapshot snapshot) {
        try {
            origin.remove(snapshot);
        } catch (IOException e) {
            troubles.add("snapshot " + snapshot + " could not be removed, the next run tries again: " + e.getMessage());
            warnings.accept(troubles.getLast());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// A source that cannot be read any more once the run is to end.
    private final class Ending implements BlockSource {

        private final BlockSource source;

        Ending(BlockSource source) {
            this.source = source;
        }

        @Override
        public long size() {
            return source.size();
        }

        @Override
        public String name() {
            return source.name();
        }

        @Override
        public void read(long offset, MemorySegment into) throws IOException {
            checkNotEnded();
            source.read(offset, into);
        }

        @Override
        public long dataFrom(long offset) throws IOException {
            return source.dataFrom(offset);
        }

        @Override
        public long dataUntil(long offset) throws IOException {
            return source.dataUntil(offset);
        }

        @Override
        public void checkSize() throws IOException {
            source.checkSize();
            checkNotEnded();
        }

        @Override
        public void close() {
            // whoever opened the source closes it
        }
    }
}
