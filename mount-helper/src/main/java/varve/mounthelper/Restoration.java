package varve.mounthelper;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import varve.archive.Branch;
import varve.archive.Throttle;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.block.Zeros;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.Hashing;
import varve.archive.vault.Depth;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;
import varve.mounthelper.image.Nearer;

/// One restore: a point in time on its way to a target, both opened and checked, the target held.
///
/// [#plan] says what will be done. [#execute] does it: several [Copier]s share the image; what they write was proved by its
/// hash before, and is read back and proved after. It ends with an image that is on the medium and has the recorded
/// root, or with an exception and a target that a later restore carries on with.
///
/// A *salvage* ends with as much of the image as any path of archives still gives, each chunk proved, zeros for the rest, and a map of that.
public final class Restoration implements Closeable {

    private static final int SAMPLE = 64;

    private static final String SALVAGED = ".salvaged";
    private static final int MOST_PATHS = 8;

    private final Chain chain;
    private final List<Chain> chains;
    private final Target target;
    private final RestoreOptions options;
    private final RestorePlan plan;
    private final Stretches stretches;
    private final Holding holding;
    private final @Nullable Missing missing;
    private volatile boolean begun;

    /// What was done. All sizes are bytes of the image.
    ///
    /// @param root of the image: of what the target holds now, if nothing is missing
    /// @param written data that was written
    /// @param kept data that the target held already
    /// @param zero what reads as zeros
    /// @param cleared what of that did not before
    /// @param missing what a salvage could not get: zeros in the target
    /// @param contents what seems to be there now
    public record Outcome(Hash root, long written, long kept, long zero, long cleared, Ranges missing, String contents) {}

    private Restoration(List<Chain> chains, Target target, RestoreOptions options, RestorePlan plan) {
        this.chain = chains.getFirst();
        this.chains = chains;
        this.missing = options.salvage() ? new Missing(chain.geometry()) : null;
        this.target = target;
        this.options = options;
        this.plan = plan;
        this.stretches = new Stretches(
                chain.geometry().chunks(), chain.geometry().chunkLog(), options.threads(),
                options.background() ? Stretches.SHORTEST : Stretches.LONGEST);
        this.holding = new Holding(chain.geometry(), target);
    }

    /// Finds the archives of a point, opens them, and looks at the target.
    ///
    /// @throws RefusedException if the restore would do harm
    /// @throws BrokenChainException if an archive that is needed is not at hand
    public static Restoration open(Vault vault, PointName point, Path target, RestoreOptions options) throws IOException {
        return open(List.of(vault), point, target, options);
    }

    /// Likewise, with archives of several vaults.
    public static Restoration open(List<Vault> vaults, PointName point, Path target, RestoreOptions options) throws IOException {
        Hashing.warmUp();
        if (options.map().isPresent()) {
            RescueMap.check(options.map().get(), target);
        }
        FoundPoint found = FoundPoint.find(vaults, point);
        found.checkMeant(point);
        List<List<StoredArchive>> paths = options.salvage() ? allPaths(found) : List.of(found.path());
        List<String> warnings = new ArrayList<>();
        found.problems().forEach(problem -> warnings.add("not needed for this, but damaged: " + problem.cause().getMessage()));
        List<Chain> chains = open(paths, warnings);
        Target opened = null;
        try {
            checkData(chains.getFirst(), options.salvage(), warnings);
            opened = Target.open(target, chains.getFirst().geometry().size(), options.inPlace());
            for (Chain chain : chains) {
                checkApart(vaults, point.volume(), archives(chain), opened);
            }
            return new Restoration(chains, opened, options, plan(point, found.point().manifest(), chains.getFirst(), opened, options.map(), warnings));
        } catch (Throwable e) {
            close(chains);
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    /// {@return where a salvage writes to that is asked to write a file: under this name nobody takes it for a proved image}
    public static Path salvaged(Path target) {
        return target.resolveSibling(target.getFileName() + SALVAGED);
    }

    /// {@return the paths of archives that lead to a point, the best first, as far as any archive can be avoided}
    private static List<List<StoredArchive>> allPaths(FoundPoint found) throws IOException {
        State state = found.point().state();
        Set<List<StoredArchive>> paths = new LinkedHashSet<>();
        found.history().path(state, StoredArchive::dataAtHand).ifPresent(paths::add);
        found.history().path(state, StoredArchive::indexAtHand).ifPresent(paths::add);
        for (List<StoredArchive> path : List.copyOf(paths)) {
            for (StoredArchive avoided : path) {
                found.history().path(state, archive -> archive.indexAtHand() && !archive.equals(avoided)).ifPresent(paths::add);
            }
        }
        return paths.isEmpty() ? List.of(found.path()) : paths.stream().limit(MOST_PATHS).toList(); // which says what is not at hand
    }

    /// {@return the chains that can be opened, in the order of their paths}
    /// @throws IOException why the first cannot, if none can
    private static List<Chain> open(List<List<StoredArchive>> paths, List<String> warnings) throws IOException {
        List<Chain> chains = new ArrayList<>();
        IOException failure = null;
        try {
            for (List<StoredArchive> path : paths) {
                try {
                    chains.add(Chain.open(path));
                } catch (IOException e) {
                    if (failure != null) {
                        failure.addSuppressed(e);
                    }
                    failure = failure == null ? e : failure;
                }
            }
            if (chains.isEmpty() && failure != null) {
                throw failure;
            }
        } catch (Throwable e) {
            close(chains);
            throw e;
        }
        if (failure != null) {
            warnings.add("cannot be used: " + failure.getMessage());
        }
        return chains;
    }

    /// looks whether data files have the right size and header: better found out now than after hours
    private static void checkData(Chain chain, boolean salvage, List<String> warnings) throws IOException {
        for (StoredArchive link : archives(chain)) {
            try {
                link.openData().close();
            } catch (IOException e) {
                if (!salvage) {
                    throw e;
                }
                warnings.add("damaged: " + (e instanceof NoSuchFileException ? link.data() + ": not at hand" : e.getMessage()));
            }
        }
    }

    private static List<StoredArchive> archives(Chain chain) {
        return IntStream.range(0, chain.length()).mapToObj(chain::archive).toList();
    }

    private static void checkApart(List<Vault> vaults, String volume, List<StoredArchive> path, Target target) throws IOException {
        Path real = target.real();
        for (Vault vault : vaults) {
            Path folder = vault.volume(volume).folder();
            // a link may lead from the vault to the volume's folder
            boolean inside = real.startsWith(vault.folder().toRealPath()) || Files.exists(folder) && real.startsWith(folder.toRealPath());
            if (inside) {
                throw new RefusedException(target.path() + ": belongs to the vault " + vault.folder() + "; restore to another place");
            }
        }
        for (StoredArchive archive : path) {
            for (Path data : target.kind() == RestorePlan.Kind.FILE ? archive.allData() : List.<Path>of()) {
                if (Files.isSameFile(data, real)) {
                    throw new RefusedException(target.path() + ": belongs to the vault as " + data + "; restore to another place");
                }
            }
        }
    }

    private static RestorePlan plan(
            PointName point, Manifest manifest, Chain chain, Target target, Optional<Path> map, List<String> warnings)
            throws IOException {
        long[] data = {0};
        chain.forEachNode(found -> {
            if (!found.node().zero()) {
                data[0] += chain.geometry().length(found.node().chunk(), 1);
            }
        });
        if (target instanceof FileTarget file && file.mode() == RestorePlan.Mode.STAGED) {
            long free = Files.getFileStore(file.real().getParent()).getUsableSpace();
            if (free < data[0] && file.left().isEmpty()) {
                warnings.add("it may not fit: up to " + data[0] + " bytes are needed in " + file.real().getParent() + ", " + free + " are free");
            }
        }
        return new RestorePlan(
                point,
                manifest,
                archives(chain),
                data[0],
                target.path(),
                target.kind(),
                target.mode(),
                target.oldSize(),
                target.contents(),
                target instanceof FileTarget file ? file.left() : Optional.empty(),
                map,
                List.copyOf(warnings));
    }

    public RestorePlan plan() {
        return plan;
    }

    /// {@return whether anything may have been written}
    public boolean begun() {
        return begun;
    }

    /// Restores.
    ///
    /// @param overwrite the target, named again by whoever wants what is there to be lost; needed if the plan overwrites
    /// @param progress gets bytes as they are done, [RestorePlan#workSize] in all
    /// @throws RefusedException if `overwrite` is needed and does not name the target
    public Outcome execute(Optional<Path> overwrite, LongConsumer progress) throws IOException {
        checkNamed(overwrite);
        Outcome outcome = bring(progress);
        commit();
        return outcome;
    }

    /// Makes sure that the target was named again, if something is lost.
    ///
    /// @throws RefusedException if it was not
    public void checkNamed(Optional<Path> overwrite) throws RefusedException {
        if (plan.overwrites() && !overwrite.equals(Optional.of(plan.target()))) {
            throw new RefusedException(plan.target() + ": exists, and what is there would be lost; if that is meant, run again with --overwrite " + plan.target());
        }
    }

    /// Brings the image to the target and proves it, all but giving it its name.
    ///
    /// @throws InterruptedIOException if it was [stopped][#stop]
    public Outcome bring(LongConsumer progress) throws IOException {
        Hashing.warmUp(plan.dataSize());
        target.begin(plan.size(), new Throttle(options.bytesPerSecond()));
        begun = true;
        Tally tally = new Tally();
        copy(tally, progress);
        target.medium().sync();
        try (Copier copier = new Copier(chain, new Supply(chains, missing), target, true, tally, progress)) {
            copier.sample(SAMPLE);
        }
        Outcome outcome = new Outcome(
                plan.manifest().state().root(),
                tally.written.sum(),
                tally.kept.sum(),
                tally.zero.sum(),
                tally.cleared.sum(),
                missing == null ? Ranges.NONE : missing.ranges(),
                Contents.of(target.medium().fd(), plan.size()));
        if (outcome.written + outcome.kept + outcome.zero + outcome.missing.size() != plan.size()) {
            throw new IllegalStateException(outcome + " do not add up to " + plan.size());
        }
        if (plan.map().isPresent()) { // an image that lacks something has its name no sooner than there is a map of that
            RescueMap.write(plan.map().get(), plan.manifest().volume() + "@" + Manifest.text(plan.manifest().time()) + " in " + plan.target()
                    + ", root " + outcome.root + (outcome.missing.isEmpty() ? "" : " if nothing were missing"), plan.size(), outcome.missing);
        }
        return outcome;
    }

    /// Gives the target that was brought its name.
    public void commit() throws IOException {
        target.commit(plan.size());
    }

    /// Ends it before it is done; another restore carries on.
    public void stop() {
        stretches.stop();
    }

    /// {@return what the target holds of the image already} What it is asked for and has not is brought next.
    public Nearer holding() {
        return (offset, into) -> {
            boolean held = holding.read(offset, into);
            if (!held) {
                stretches.prefer(offset >>> chain.geometry().chunkLog());
            }
            return held;
        };
    }

    /// Writes to the target, which was brought, what a branch has written on top of the image.
    ///
    /// @param written takes the ranges, when they have been written and read back
    public void apply(Branch branch, Branch.Ranges written) throws IOException {
        if (!branch.base().equals(chain.state())) {
            throw new IllegalArgumentException(branch.base() + " is not " + chain.state());
        }
        Medium medium = target.medium();
        try (Batches batches = new Batches(branch); Arena arena = Arena.ofConfined()) {
            batches.forEach((offset, bytes) -> {
                if (Zeros.only(bytes)) {
                    target.zero(offset, bytes.byteSize());
                } else {
                    medium.write(offset, bytes);
                }
            });
            medium.flush(0, plan.size());
            MemorySegment found = arena.allocate(Batches.SIZE, Medium.PAGE);
            batches.forEach((offset, bytes) -> {
                medium.read(offset, bytes.byteSize(), found);
                long differs = bytes.mismatch(found.asSlice(0, bytes.byteSize()));
                if (differs >= 0) {
                    throw new DeviceException(target.name() + ": does not read back as it was written at " + (offset + differs)
                            + "; the medium or the path to it is faulty");
                }
                written.add(offset, bytes.byteSize());
            });
        }
    }

    /// {@return why something is missing, if anything is}
    public Optional<IOException> whyMissing() {
        return Optional.ofNullable(missing).map(Missing::first);
    }

    /// {@return the data files that are damaged, so that something was taken from other copies of them}
    public List<Path> passedOver() {
        return IntStream.range(0, chain.length()).filter(chain::detoured).mapToObj(layer -> chain.archive(layer).data()).toList();
    }

    /// {@return what a restore proves of the archives: the frames that the image was made of} Nothing of those that were not good throughout.
    public List<Receipt.Proof> proofs() throws IOException {
        List<Ranges.Builder> frames = new ArrayList<>();
        plan.chain().forEach(archive -> frames.add(new Ranges.Builder(true)));
        chain.forEachNode(found -> {
            Node.Frame frame = found.node().frame();
            if (!found.node().zero() && frame.size() > 0) {
                frames.get(found.layer()).add(frame.position(), frame.end());
            }
        });
        List<Receipt.Proof> proofs = new ArrayList<>();
        for (int layer = 0; layer < frames.size(); layer++) {
            if (chain.detoured(layer) || plan.map().isPresent()) {
                continue;
            }
            proofs.add(Receipt.Proof.of(chain.archive(layer).manifest(), Depth.CONTENT, Receipt.Result.OK,
                    frames.get(layer).build(), Ranges.NONE));
        }
        return proofs;
    }

    private void copy(Tally tally, LongConsumer progress) throws IOException {
        boolean compares = options.inPlace() || options.salvage(); // what the target holds already need not be salvaged
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < options.threads(); i++) {
            threads.add(Thread.ofPlatform().name("varve-restore-" + i).daemon().start(() -> {
                try (Copier copier = new Copier(chain, new Supply(chains, missing), target, compares, tally, progress)) {
                    copier.work(stretches, holding::add);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                    stretches.stop();
                }
            }));
        }
        join(threads);
        switch (failure.get()) {
            case null -> {
                if (stretches.stopped()) {
                    throw new InterruptedIOException("stopped before " + target.name() + " was complete");
                }
            }
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /// waits for all of them, also when interrupted: they use what will be closed
    private void join(List<Thread> threads) throws InterruptedIOException {
        boolean interrupted = false;
        for (int i = 0; i < threads.size(); ) {
            try {
                threads.get(i).join();
                i++;
            } catch (InterruptedException e) {
                interrupted = true;
                stretches.stop();
            }
        }
        if (interrupted) {
            throw new InterruptedIOException("interrupted");
        }
    }

    @Override
    public void close() throws IOException {
        try {
            target.close();
        } finally {
            close(chains);
        }
    }

    private static void close(List<Chain> chains) throws IOException {
        for (Chain chain : chains) {
            chain.close();
        }
    }
}
