package varve.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.ExpiryPlan.Fold;
import varve.archive.block.RefusedException;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.ArchiveCopy;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.Folder;
import varve.archive.file.Removal;
import varve.archive.file.StoredArchive;
import varve.archive.format.Header;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.format.Version;
import varve.archive.hash.Hash;
import varve.archive.vault.Signatures;
import varve.archive.seal.Recipient;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Inventory;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Standing;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeDigest;
import varve.archive.vault.VolumeLock;
import varve.archive.vault.VolumeSettings;

/// Lets points in time go that a policy does not keep.
///
/// First all new archives are made, each read back and proved; then, from what is really there, it is found out once more that
/// each kept point can be restored without what goes; only then anything is removed. So a run that dies at any moment leaves the old
/// archives complete or the new ones, and the next run goes on.
public final class Expiry {

    private final List<Vault> vaults;
    private final Vault vault;
    private final Volume volume;
    private final ExpiryOptions options;
    private final InstantSource clock;
    private final Consumer<String> warnings;

    /// What was done.
    ///
    /// @param plan that was carried out
    /// @param made archives that are new
    /// @param freed bytes of data files that were removed, less those of the new ones
    public record Outcome(ExpiryPlan plan, List<Manifest> made, long freed) {}

    /// @param vaults at hand; points go from the first
    /// @param name of the volume
    /// @param warnings get what the user should know although it is no error
    public Expiry(List<Vault> vaults, String name, ExpiryOptions options, InstantSource clock, Consumer<String> warnings)
            throws RefusedException {
        this.vaults = vaults;
        this.vault = vaults.getFirst();
        this.volume = vault.volume(name);
        this.options = options;
        this.clock = clock;
        this.warnings = warnings;
    }

    /// {@return the policy that is applied}
    /// @throws RefusedException if there is none
    private VolumeSettings settings() throws IOException {
        VolumeSettings settings = VolumeSettings.together(volumes());
        if (options.policy().isPresent()) {
            settings = settings.with(options.policy());
        }
        if (settings.policy().isEmpty()) {
            throw new RefusedException(volume.name() + ": there is no policy, so every point is kept; give the --keep options, or store them with: varve policy "
                    + volume.name());
        }
        return settings;
    }

    /// {@return what there is to do}
    /// @throws RefusedException if there is no policy
    public ExpiryPlan plan() throws IOException {
        History history = volume.read().sound();
        VolumeSettings settings = settings();
        SortedMap<Long, List<String>> kept = settings.kept(history.points(), clock.instant());
        Catalogue catalogue = Catalogue.open(vaults, warnings);
        requireDeciders(catalogue);
        Copies copies = catalogue.copies(volume.name(), history.archives());
        Set<StoredArchive> elsewhere = history.archives().stream()
                .filter(archive -> copies.holders(archive).stream().anyMatch(holder -> !holder.equals(vault.id())))
                .collect(Collectors.toSet());
        return new ExpiryPlanner(history, settings.policy().orElseThrow(), kept, here(catalogue, history), elsewhere).plan();
    }

    /// {@return the volume in each vault at hand, but for others of the same name}
    private List<Volume> volumes() throws IOException {
        Optional<UUID> id = id(volume);
        List<Volume> volumes = new ArrayList<>();
        for (Vault here : vaults) {
            Volume of = here.volume(volume.name());
            if (id(of).equals(id)) {
                volumes.add(of);
            }
        }
        return volumes;
    }

    private static Optional<UUID> id(Volume volume) throws IOException {
        return volume.exists() ? volume.read().history().latest().map(point -> point.manifest().volumeId()) : Optional.empty();
    }

    /// Others rely on a keeper without seeing it: so it gives up nothing unless they are there to say what they keep.
    private void requireDeciders(Catalogue catalogue) throws RefusedException {
        for (UUID other : vault.keeper() ? catalogue.all() : List.<UUID>of()) {
            boolean relies = catalogue.atHand(other).isEmpty()
                    && !catalogue.keeper(other)
                    && catalogue.standing(other).state() != Standing.State.RETIRED
                    && catalogue.inventory(other).map(inventory -> inventory.stock(volume.name()).isPresent()).orElse(true);
            if (relies) {
                throw new RefusedException("vault " + vault.name() + " is kept away, so vault " + catalogue.describe(other) + " relies on it, and may keep what"
                        + " would go: bring that and give it with --vault, too; if it is gone: varve vault retire --lost");
            }
        }
    }

    /// {@return archives whose data file is in the vault, has its size, and is not known to be damaged}
    private Set<StoredArchive> here(Catalogue catalogue, History history) throws IOException {
        Set<Hash> damaged = new HashSet<>();
        Optional.ofNullable(catalogue.stocks(volume.name()).get(vault.id())).ifPresent(stock -> stock.archives().stream()
                .filter(held -> held.proof().isPresent() && !held.proved())
                .forEach(held -> damaged.add(held.fileHash())));
        Set<StoredArchive> here = new HashSet<>();
        for (StoredArchive archive : history.archives()) {
            Manifest.Digest file = archive.manifest().file();
            if (archive.dataAtHand() && Files.size(archive.data()) == file.size() && !damaged.contains(file.hash())) {
                here.add(archive);
            }
        }
        return here;
    }

    /// Does it.
    ///
    /// @param lockWait how long to wait for other writers
    /// @param shown takes the plan before anything is written
    /// @param progress gets bytes as they are done, [ExpiryPlan#readSize] in all
    /// @throws RefusedException if there is no policy, or a kept point would be left with too few copies
    public Outcome execute(Duration lockWait, Consumer<ExpiryPlan> shown, LongConsumer progress) throws IOException, InterruptedException {
        volume.read(); // before a folder is made for the lock
        Deque<VolumeLock> locks = new ArrayDeque<>();
        try {
            for (Vault relied : vaults.stream().sorted(Comparator.comparing(known -> known.id().toString())).toList()) {
                Volume of = relied.volume(volume.name());
                if (of.equals(volume) || (of.exists() && Files.isWritable(of.folder()))) { // what cannot be written stays as it is
                    locks.push(VolumeLock.acquire(of.folder(), lockWait, "varve expire " + volume.name()));
                }
            }
            if (ArchiveWriter.recover(volume.folder())) {
                warnings.accept("finished the archive that an interrupted run had completed");
            }
            if (Removal.finish(volume.folder()) > 0) {
                warnings.accept("finished removing what an interrupted run had begun to remove");
            }
            return locked(shown, progress);
        } finally {
            for (VolumeLock lock : locks) {
                lock.close();
            }
        }
    }

    private Outcome locked(Consumer<ExpiryPlan> shown, LongConsumer progress) throws IOException, InterruptedException {
        ExpiryPlan plan = plan();
        shown.accept(plan);
        Signatures.of(volume).requireSound();
        Receipt.Draft receipt = Receipt.begin(Receipt.What.EXPIRE, vault, volume.name(), plan.policy().toString(), clock);
        History history = volume.read().sound();
        proveWhatWasMade(plan, history);
        Set<StoredArchive> folded = plan.folds().stream().flatMap(fold -> fold.archives().stream()).collect(Collectors.toSet());
        // what is folded is in the new archive: so this is as it will be
        requireCopies(plan, history, plan.removed().stream().filter(archive -> !folded.contains(archive)).toList());
        List<Manifest> made = new ArrayList<>();
        for (Fold fold : plan.folds()) {
            made.add(fold(history, fold, progress));
        }
        for (Point point : plan.noted()) {
            made.add(note(point));
        }
        History now = volume.read().sound();
        requireRestorable(plan, now);
        requireCopies(plan, now, plan.removed());
        vault.check();
        remove(plan, receipt);
        Catalogue.open(vaults, warnings).exchange(Set.of(volume.name()), clock, warnings);
        long added = made.stream().mapToLong(manifest -> manifest.file().size()).sum();
        return new Outcome(plan, made, plan.removedSize() - added);
    }

    // ---- new archives

    private Manifest fold(History history, Fold fold, LongConsumer progress) throws IOException {
        List<StoredArchive> path = Stream.concat(fold.before().stream(), fold.archives().stream()).toList();
        State start = fold.archives().getFirst().manifest().parent();
        Point from = history.points().stream().filter(point -> point.state().equals(start)).findFirst().orElseThrow();
        ConsolidationOptions how = new ConsolidationOptions(Optional.empty(), "", ArchiveOptions.DEFAULT_LEVEL, options.threads());
        try (Consolidation consolidation =
                Consolidation.open(vault, volume, new History(path), Optional.of(from), fold.to(), how, warnings)) {
            return consolidation.execute(clock, progress).manifest();
        }
    }

    /// makes an archive that says of a point that nothing had changed since another with the same state
    private Manifest note(Point point) throws IOException {
        Manifest manifest = point.manifest();
        Receipt.Draft receipt = Receipt.begin(Receipt.What.CONSOLIDATE, vault, volume.name(), Manifest.text(manifest.time()), clock);
        Header header = new Header(Kind.DELTA, manifest.chunkLog(), manifest.volumeId(), point.state());
        History history = volume.read().history();
        List<Recipient> recipients = SealedFor.of(volume, history).recipients(volume.keys(), history);
        try (ArchiveWriter writer = new ArchiveWriter(
                volume.folder(), header, Signatures.signer(Signatures.of(volume).requireKey(), clock), recipients)) {
            Manifest made = writer.commit(point.state(), written -> manifest.derive(
                    point.state(), clock.instant().truncatedTo(ChronoUnit.MILLIS), Version.TOOL, 0, 0, written.file(), written.index(), written.seal()));
            keep(receipt, made, writer.readBackFromMedium());
            return made;
        }
    }

    /// An interrupted run may have made archives and died before it noted that they were proved: so they are proved once more.
    private void proveWhatWasMade(ExpiryPlan plan, History history) throws IOException {
        Catalogue catalogue = Catalogue.open(vaults, warnings);
        Set<Inventory.DataFile> unproved = catalogue.stocks(volume.name()).get(vault.id()).archives().stream()
                .filter(held -> held.proof().isEmpty())
                .map(Inventory.Held::file)
                .collect(Collectors.toSet());
        for (StoredArchive archive : here(catalogue, history)) {
            Manifest manifest = archive.manifest();
            if (manifest.original().isPresent() && unproved.contains(Inventory.DataFile.of(archive)) && !plan.removed().contains(archive)) {
                Receipt.Draft receipt = Receipt.begin(Receipt.What.VERIFY, vault, volume.name(), manifest.baseName(), clock);
                ArchiveCopy onto = new ArchiveCopy(archive, volume.folder(), (bytes, again) -> {});
                try {
                    onto.run();
                } catch (ArchiveCopy.SourceException e) {
                    throw e.reason();
                }
                keep(receipt, manifest, onto.fromMedium());
            }
        }
    }

    private void keep(Receipt.Draft receipt, Manifest manifest, boolean fromMedium) {
        new Receipts(volume).add(
                receipt.act(Depth.STORED, fromMedium ? Evidence.MEDIUM : Evidence.CACHE, Receipt.Result.OK,
                        List.of(Receipt.Proof.whole(manifest, Depth.STORED)), List.of(), List.of(Depth.STORED.open())),
                warnings);
    }

    // ---- what must hold

    private void requireCopies(ExpiryPlan plan, History history, Collection<StoredArchive> removed) throws IOException {
        Copies copies = Catalogue.open(vaults, warnings).reliable(vault, volume.name(), history.archives());
        Set<State> kept = plan.kept().stream().map(Point::state).collect(Collectors.toSet());
        Set<State> endangered = copies.endangered(vault.id(), removed, kept, options.minCopies());
        for (Point point : plan.kept()) {
            if (endangered.contains(point.state())) {
                int left = copies.without(vault.id(), removed).of(point.state());
                throw new RefusedException(volume.name() + "@" + Manifest.text(point.manifest().time()) + ": would be left with " + left
                        + (left == 1 ? " proved copy" : " proved copies") + " that can be relied on, expected " + options.minCopies()
                        + ": nothing was removed; prove what is there (varve verify --depth stored), or bring it to another vault (varve copy)");
            }
        }
    }

    /// each kept point that could be restored from here still can be, and is still known
    private void requireRestorable(ExpiryPlan plan, History now) throws IOException {
        Set<StoredArchive> removed = Set.copyOf(plan.removed());
        Set<StoredArchive> forgotten = Set.copyOf(plan.forgotten());
        Set<StoredArchive> before = here(Catalogue.open(vaults, warnings), now);
        Set<State> restorable = now.reached(archive -> before.contains(archive));
        Set<State> left = now.reached(archive -> before.contains(archive) && !removed.contains(archive));
        Set<Long> known = now.archives().stream()
                .filter(archive -> !forgotten.contains(archive))
                .map(archive -> archive.manifest().sequence())
                .collect(Collectors.toSet());
        for (Point point : plan.kept()) {
            boolean lost = restorable.contains(point.state()) && !left.contains(point.state());
            if (lost || !known.contains(point.manifest().sequence())) {
                throw new IllegalStateException(volume.name() + "@" + Manifest.text(point.manifest().time())
                        + ": could not be restored any more; nothing was removed");
            }
        }
    }

    // ---- removing

    private void remove(ExpiryPlan plan, Receipt.Draft receipt) throws IOException {
        List<Long> expired = plan.expired().stream().map(point -> point.manifest().sequence()).toList();
        VolumeSettings settings = VolumeSettings.together(volumes());
        settings = expired.isEmpty() ? settings : settings.expire(expired);
        for (Volume of : volumes()) {
            if (Files.isWritable(of.folder()) && settings.newerThan(of)) {
                settings.writeSigned(of);
            }
        }
        Set<String> going = plan.forgotten().stream().map(archive -> archive.manifest().baseName() + ".json").collect(Collectors.toSet());
        new Receipts(volume).sign(going, false);
        for (StoredArchive archive : plan.removed()) {
            if (!plan.forgotten().contains(archive)) {
                evict(archive);
            }
        }
        Removal.run(volume.folder(), plan.forgotten());
        if (!plan.removed().isEmpty()) {
            new Receipts(volume).add(
                    receipt.act(plan.removed().stream().map(archive -> Receipt.Proof.none(archive.manifest())).toList()), warnings);
        }
        VolumeDigest.save(volume, volume.read().history());
    }

    /// removes the data; manifest and tables stay
    private void evict(StoredArchive archive) throws IOException {
        try {
            new ArchiveCopy(archive, volume.folder(), (bytes, again) -> {}).runWithoutData(); // the tables have to be there by themselves
        } catch (ArchiveCopy.SourceException e) {
            throw e.reason();
        }
        Files.delete(archive.data());
        Files.deleteIfExists(archive.tree());
        Folder.sync(volume.folder());
    }
}
