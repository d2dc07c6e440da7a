package varve.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.CheapestArchives;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.ArchiveCopy;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.format.State;
import varve.archive.sign.SecretKey;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Inventory;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipts;
import varve.archive.vault.Receipt;
import varve.archive.vault.Ranges;
import varve.archive.vault.Sharing;
import varve.archive.vault.Signatures;
import varve.archive.vault.Standing;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;

/// Brings archives of a volume to another vault: what is missing there so that the wanted points in time can be restored from it,
/// and no more.
///
/// [#plan] says what that is. [#execute] does it, archive by archive ([ArchiveCopy]); each counts as a copy when it has been read
/// back from the medium. At the end the vaults tell each other what they hold. Any run may be repeated.
public final class Copying {

    /// more than any disk holds: what is not here is taken into account only if nothing else leads to a point
    private static final long FAR = 1L << 50;

    /// what the file system needs beside the bytes themselves, for each archive
    private static final long ROUNDING = 64 << 10;

    private final List<Vault> sources;
    private final Vault target;
    private final String name;
    private final CopyOptions options;
    private final InstantSource clock;
    private final Consumer<String> warnings;

    /// What was done.
    ///
    /// @param plan that was carried out
    /// @param copied archives that were brought
    /// @param reused bytes that an interrupted run had left, or that were there unproved
    /// @param mended bytes that were damaged in one source and taken from another
    /// @param failures why archives could not be brought
    public record Outcome(CopyPlan plan, List<StoredArchive> copied, long reused, long mended, List<IOException> failures) {}

    /// @param sources where archives are taken from: vaults at hand
    /// @param name of the volume
    /// @param warnings get what the user should know although it is no error
    /// @throws RefusedException if a vault would be copied to itself, or is not to be relied on
    public Copying(
            List<Vault> sources, Vault target, String name, CopyOptions options, InstantSource clock, Consumer<String> warnings)
            throws RefusedException {
        if (target.standing().state() == Standing.State.RETIRED) {
            throw new RefusedException(target.folder() + ": vault " + target.name() + " is retired; if it is to be used again: varve vault set --state away");
        }
        if (sources.stream().anyMatch(source -> source.id().equals(target.id()))) {
            throw new RefusedException(target.folder() + ": is the vault that is copied from (" + target.id() + ")");
        }
        this.sources = sources;
        this.target = target;
        this.name = name;
        this.options = options;
        this.clock = clock;
        this.warnings = warnings;
    }

    /// {@return what there is to do}
    /// @throws BrokenChainException if a wanted point cannot be restored from anything that is known
    public CopyPlan plan() throws IOException {
        return new Planning().plan();
    }

    /// Copies.
    ///
    /// @param lockWait how long to wait for another writer at the target
    /// @param shown takes the plan before anything is written
    /// @param progress gets bytes as they are done, [CopyPlan#size] in all
    public Outcome execute(Duration lockWait, Consumer<CopyPlan> shown, LongConsumer progress) throws IOException, InterruptedException {
        target.check();
        Volume volume = target.volume(name);
        plan(); // before a folder is made for it
        try (VolumeLock lock = VolumeLock.acquire(volume.folder(), lockWait, "varve copy " + name)) {
            if (ArchiveWriter.recover(volume.folder())) {
                warnings.accept("finished the archive that an interrupted run had completed");
            }
            CopyPlan plan = plan();
            shown.accept(plan);
            ArchiveCopy.discardStages(volume.folder(), plan.items().stream().map(item -> item.archive().manifest()).toList());
            beginSignatures(plan, volume);
            Outcome outcome = bring(plan, volume, progress);
            new Sharing(together(), clock, warnings).share(name, target);
            return outcome;
        }
    }

    /// so that a volume that is signed here is signed there, too, as a whole and from its beginning
    private void beginSignatures(CopyPlan plan, Volume volume) throws IOException {
        Optional<SecretKey> key = target.signing().key();
        if (key.isEmpty() || plan.items().isEmpty() || !volume.read().history().archives().isEmpty()) {
            return;
        }
        for (Vault source : sources) {
            Volume from = source.volume(name);
            if (from.exists() && Signatures.of(from).believes(key.get())) {
                Signatures.of(volume).begin(key.get(), plan.items().getFirst().archive().manifest().volumeId(), clock.instant());
                return;
            }
        }
    }

    private List<Vault> together() {
        return Stream.concat(sources.stream(), Stream.of(target)).toList();
    }

    private Outcome bring(CopyPlan plan, Volume volume, LongConsumer progress) throws IOException {
        Throttle throttle = new Throttle(options.bytesPerSecond());
        List<StoredArchive> copied = new ArrayList<>();
        List<IOException> failures = new ArrayList<>();
        long reused = 0;
        long mended = 0;
        for (CopyPlan.Item item : plan.items()) {
            target.check();
            Receipt.Draft receipt = Receipt.begin(Receipt.What.COPY, target, name, item.archive().data().toString(), clock);
            ArchiveCopy copy = new ArchiveCopy(item.archive(), volume.folder(), (bytes, again) -> {
                throttle.take(again ? 0 : bytes);
                progress.accept(bytes);
            });
            try {
                copy.run();
                copied.add(item.archive());
                keep(receipt, volume, item.archive().manifest(), copy.fromMedium());
            } catch (ArchiveCopy.SourceException e) {
                failures.add(e.reason());
            } catch (IOException e) {
                target.check(); // the better reason, if the disk is gone
                throw e;
            }
            tell(copy.damage(), item.archive().manifest());
            reused += copy.reused();
            mended += copy.mended();
        }
        return new Outcome(plan, copied, reused, mended, failures);
    }

    private void keep(Receipt.Draft receipt, Volume volume, Manifest manifest, boolean fromMedium) {
        new Receipts(volume).add(
                receipt.act(Depth.STORED, fromMedium ? Evidence.MEDIUM : Evidence.CACHE, Receipt.Result.OK,
                        List.of(Receipt.Proof.whole(manifest, Depth.STORED)), List.of(), List.of(Depth.STORED.open())),
                warnings);
    }

    /// a receipt to each source that was found to be damaged: it is no copy any more
    private void tell(List<ArchiveCopy.Damage> damage, Manifest manifest) throws IOException {
        for (Vault source : sources) {
            Volume volume = source.volume(name);
            Ranges damaged = Ranges.union(damage.stream()
                    .filter(found -> found.file().getParent().equals(volume.folder()))
                    .map(found -> new Ranges.Range(found.position(), found.position() + found.size()))
                    .toList());
            if (!damaged.isEmpty()) {
                String what = manifest.dataName() + ": damaged at " + damaged.list().getFirst().from();
                new Receipts(volume).add(
                        Receipt.begin(Receipt.What.COPY, source, name, target.folder().toString(), clock).act(
                                Depth.STORED, Evidence.CACHE, Receipt.Result.DAMAGED,
                                List.of(Receipt.Proof.of(manifest, Depth.STORED, Receipt.Result.DAMAGED, Ranges.NONE, damaged)),
                                List.of(what), List.of("the rest of the file")),
                        warnings);
            }
        }
    }

    /// One look at what there is.
    private final class Planning {

        private final History history;
        private final Catalogue catalogue;
        private final Set<Inventory.DataFile> atTarget = new HashSet<>();
        private final Set<Inventory.DataFile> here = new HashSet<>();
        private final Map<Inventory.DataFile, List<UUID>> elsewhere = new HashMap<>();
        private final Path folder;

        Planning() throws IOException {
            List<Volume> volumes = new ArrayList<>();
            for (Vault vault : together()) {
                volumes.add(vault.volume(name));
            }
            folder = volumes.getLast().folder();
            if (volumes.subList(0, sources.size()).stream().noneMatch(Volume::exists)) {
                Volume.together(volumes.subList(0, sources.size())); // there is no such volume
            }
            Volume.Content content = Volume.together(volumes);
            for (Volume.Problem problem : content.problems()) {
                if (problem.cause() instanceof CorruptException corrupt && corrupt.rule() == Rule.F040) {
                    throw problem.cause();
                }
                warnings.accept(problem.cause().getMessage());
            }
            history = content.history();
            catalogue = Catalogue.open(together(), warnings);
            catalogue.stocks(name).forEach(this::take);
        }

        private void take(UUID vault, Inventory.Stock stock) {
            boolean source = sources.stream().anyMatch(known -> known.id().equals(vault));
            for (Inventory.Held held : stock.archives()) {
                if (vault.equals(target.id())) {
                    if (held.proved()) {
                        atTarget.add(held.file());
                    }
                } else if (source) {
                    if (held.proof().isEmpty() || held.proved()) {
                        here.add(held.file());
                    } else {
                        warnings.accept(held.archive() + ": known to be damaged in vault " + catalogue.name(vault) + ", so it is not copied from there");
                    }
                } else if (catalogue.standing(vault).counts() && held.proved()) {
                    elsewhere.computeIfAbsent(held.file(), file -> new ArrayList<>()).add(vault);
                }
            }
        }

        private static Inventory.DataFile file(StoredArchive archive) {
            return Inventory.DataFile.of(archive);
        }

        private boolean atTarget(StoredArchive archive) {
            return atTarget.contains(file(archive));
        }

        private boolean here(StoredArchive archive) {
            return here.contains(file(archive));
        }

        CopyPlan plan() throws IOException {
            List<Point> wanted = wanted();
            List<StoredArchive> known = history.archives().stream()
                    .filter(archive -> atTarget(archive) || here(archive) || elsewhere.containsKey(file(archive)))
                    .toList();
            List<StoredArchive> tree = CheapestArchives.of(known, this::cost, wanted.stream().map(Point::state).toList());
            Map<State, StoredArchive> into = tree.stream().collect(Collectors.toMap(archive -> archive.manifest().state(), archive -> archive));
            for (Point point : wanted) {
                if (!into.containsKey(point.state())) {
                    throw new BrokenChainException(point.manifest().baseName() + ": no archives that are known of lead to it");
                }
            }
            Set<StoredArchive> items = new LinkedHashSet<>();
            List<Point> unfit = new ArrayList<>();
            long free = free();
            long needed = choose(wanted, into, Long.MAX_VALUE, items, new ArrayList<>());
            if (needed > free) {
                items.clear();
                choose(wanted, into, free, items, unfit);
            }
            Set<State> before = reached(this::atTarget);
            Set<State> after = reached(archive -> atTarget(archive) || items.contains(archive));
            List<Point> reached = history.points().stream().filter(point -> after.contains(point.state())).toList();
            List<CopyPlan.Item> order = new ArrayList<>();
            for (StoredArchive archive : inOrder(tree, items)) {
                order.add(new CopyPlan.Item(archive, ArchiveCopy.staged(folder, archive.manifest()),
                        Files.exists(folder.resolve(archive.manifest().dataName()))));
            }
            return new CopyPlan(
                    name,
                    target,
                    order,
                    reached,
                    (int) reached.stream().filter(point -> before.contains(point.state())).count(),
                    unfit,
                    tree.stream()
                            .filter(archive -> !atTarget(archive) && !here(archive))
                            .map(archive -> new CopyPlan.Missing(archive, elsewhere.get(file(archive))))
                            .toList(),
                    needed,
                    free);
        }

        private long cost(StoredArchive archive) {
            return atTarget(archive) ? 0 : archive.manifest().file().size() + (here(archive) ? 0 : FAR);
        }

        private List<Point> wanted() throws IOException {
            List<Point> points = new ArrayList<>();
            for (String point : options.points()) {
                points.add(new PointName(name, Optional.of(point)).in(history));
            }
            if (options.points().isEmpty()) {
                Set<State> reached = reached(archive -> here(archive) || atTarget(archive));
                history.points().stream().filter(point -> reached.contains(point.state())).forEach(points::add);
            }
            return points.stream().distinct().sorted(Comparator.comparingLong(point -> point.manifest().sequence())).toList();
        }

        private Set<State> reached(Predicate<StoredArchive> usable) {
            return history.reached(usable);
        }

        /// what has to be brought for points, the newest first, as long as there is room
        ///
        /// @return bytes for all of it
        private long choose(List<Point> wanted, Map<State, StoredArchive> into, long room, Set<StoredArchive> chosen, List<Point> unfit) {
            long used = 0;
            for (Point point : wanted.reversed()) {
                Set<StoredArchive> more = new LinkedHashSet<>();
                for (StoredArchive archive = into.get(point.state()); archive != null; archive = into.get(archive.manifest().parent())) {
                    more.add(archive);
                }
                point.archives().stream().filter(archive -> archive.manifest().unchanged()).forEach(more::add);
                more.removeIf(archive -> atTarget(archive) || !here(archive) || chosen.contains(archive));
                long size = more.stream().mapToLong(this::room).sum();
                if (size > room - used) {
                    unfit.addFirst(point);
                } else {
                    used += size;
                    chosen.addAll(more);
                }
            }
            return used;
        }

        /// {@return bytes that an archive takes, of which the stage or an unproved file has some already}
        private long room(StoredArchive archive) {
            Manifest manifest = archive.manifest();
            try {
                Path there = folder.resolve(manifest.dataName());
                long already = Files.exists(there) ? Files.size(there) : ArchiveCopy.staged(folder, manifest);
                return Math.max(0, manifest.file().size() - already) + manifest.index().size() + (manifest.file().size() >> 15) + ROUNDING;
            } catch (IOException e) {
                return manifest.file().size() + manifest.index().size() + ROUNDING;
            }
        }

        private long free() throws IOException {
            return Files.getFileStore(target.folder()).getUsableSpace();
        }

        private List<StoredArchive> inOrder(List<StoredArchive> tree, Set<StoredArchive> items) {
            List<StoredArchive> order = new ArrayList<>(tree.stream().filter(items::contains).toList());
            items.stream().filter(archive -> archive.manifest().unchanged()).forEach(order::add);
            return order;
        }
    }
}
