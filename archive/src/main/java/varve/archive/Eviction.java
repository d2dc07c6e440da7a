package varve.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import varve.archive.block.RefusedException;
import varve.archive.file.ArchiveCopy;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.Folder;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;

/// Removes data files from a vault of which others hold enough proved copies. Manifests and tables stay, so that points are still
/// listed and compared, and the next delta is made, without the data.
///
/// A data file may go if enough other vaults hold that file, or if all points in time that it is of use for have enough copies in
/// other vaults. Which vaults count is the [Catalogue]'s to say.
public final class Eviction {

    private final List<Vault> vaults;
    private final Vault vault;
    private final String name;
    private final int minCopies;
    private final InstantSource clock;
    private final Consumer<String> warnings;

    /// @param vaults at hand; data files are removed from the first
    /// @param name of the volume
    /// @param minCopies that have to be elsewhere
    public Eviction(List<Vault> vaults, String name, int minCopies, InstantSource clock, Consumer<String> warnings) {
        if (minCopies < 1) {
            throw new IllegalArgumentException(minCopies + " copies");
        }
        this.vaults = vaults;
        this.vault = vaults.getFirst();
        this.name = name;
        this.minCopies = minCopies;
        this.clock = clock;
        this.warnings = warnings;
    }

    /// {@return what can go and what cannot}
    public EvictionPlan plan() throws IOException {
        List<StoredArchive> archives = vault.volume(name).read().sound().archives();
        Copies copies = Catalogue.open(vaults, warnings).reliable(vault, name, archives);
        Copies others = copies.without(vault.id());
        List<EvictionPlan.Item> evicted = new ArrayList<>();
        List<EvictionPlan.Item> kept = new ArrayList<>();
        for (StoredArchive archive : archives) {
            if (archive.dataAtHand()) {
                Set<UUID> elsewhere = others.holders(archive);
                boolean enough = elsewhere.size() >= minCopies || others.downstream(archive).stream().allMatch(state -> others.of(state) >= minCopies);
                (enough ? evicted : kept).add(new EvictionPlan.Item(archive, elsewhere));
            }
        }
        return new EvictionPlan(vault, name, minCopies, evicted, kept);
    }

    /// Removes what the plan says.
    ///
    /// @param lockWait how long to wait for other writers
    /// @param shown takes the plan before anything is removed
    /// @throws RefusedException if a point in time would be lost
    public EvictionPlan execute(Duration lockWait, Consumer<EvictionPlan> shown) throws IOException, InterruptedException {
        if (!vault.volume(name).exists()) {
            vault.volume(name).read();
        }
        Deque<VolumeLock> locks = new ArrayDeque<>();
        try {
            for (Vault relied : vaults.stream().sorted(Comparator.comparing(known -> known.id().toString())).toList()) {
                Volume volume = relied.volume(name);
                if (volume.exists() && Files.isWritable(volume.folder())) { // what cannot be written stays without a lock
                    locks.push(VolumeLock.acquire(volume.folder(), lockWait, "varve evict " + name));
                }
            }
            ArchiveWriter.recover(vault.volume(name).folder());
            EvictionPlan plan = plan();
            shown.accept(plan);
            check(plan);
            remove(plan);
            Catalogue.open(vaults, warnings).exchange(Set.of(name), clock, warnings);
            return plan;
        } finally {
            for (VolumeLock lock : locks) {
                lock.close();
            }
        }
    }

    /// the plan once more, by all points in time
    private void check(EvictionPlan plan) throws IOException {
        List<StoredArchive> archives = vault.volume(name).read().sound().archives();
        Set<State> all = new HashSet<>(archives.stream().map(archive -> archive.manifest().state()).toList());
        Copies copies = Catalogue.open(vaults, warnings).reliable(vault, name, archives);
        all.removeIf(state -> copies.of(state) == 0); // nobody can make that worse
        Set<State> lost = copies.endangered(vault.id(), plan.evicted().stream().map(EvictionPlan.Item::archive).toList(), all, 1);
        if (!lost.isEmpty()) {
            throw new RefusedException(name + ": " + lost.size() + " points in time would be left without a proved copy, such as " + lost.iterator().next());
        }
    }

    private void remove(EvictionPlan plan) throws IOException {
        Volume volume = vault.volume(name);
        Receipt.Draft receipt = Receipt.begin(Receipt.What.EVICT, vault, name, minCopies + " copies elsewhere", clock);
        for (EvictionPlan.Item item : plan.evicted()) {
            vault.check();
            StoredArchive archive = item.archive();
            try {
                new ArchiveCopy(archive, volume.folder(), (bytes, again) -> {}).runWithoutData(); // the tables have to be there by themselves
            } catch (ArchiveCopy.SourceException e) {
                throw e.reason();
            }
            Files.delete(archive.data());
            Files.deleteIfExists(archive.tree());
        }
        Folder.sync(volume.folder());
        if (!plan.evicted().isEmpty()) {
            new Receipts(volume).add(
                    receipt.act(plan.evicted().stream().map(item -> Receipt.Proof.none(item.archive().manifest())).toList()), warnings);
        }
    }
}
