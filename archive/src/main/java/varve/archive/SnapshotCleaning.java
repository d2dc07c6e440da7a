package varve.archive;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;
import varve.archive.snapshot.Origin;
import varve.archive.snapshot.Origins;
import varve.archive.snapshot.Owner;
import varve.archive.snapshot.Snapshot;
import varve.archive.snapshot.SnapshotSettings;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;

/// What varve has left on storage: the snapshots that the next runs need, and those that nobody needs.
///
/// Something is removed only by whoever is the only writer of its volume, after another look: so a run that is at work is never disturbed.
public final class SnapshotCleaning {

    private final Vault vault;
    private final List<Origin> named;
    private final SnapshotSettings settings;
    private final Consumer<String> warnings;

    /// What it is for.
    public enum State {
        KEPT("kept", "kept for the next delta"),
        LEFT_OVER("left-over", "left over, if no run is at work"),
        FOREIGN("other-vault", "of another vault");

        private final String word;
        private final String meaning;

        State(String word, String meaning) {
            this.word = word;
            this.meaning = meaning;
        }

        public String word() {
            return word;
        }

        public String meaning() {
            return meaning;
        }
    }

    /// A snapshot, or something else that a run has left.
    ///
    /// @param name of the snapshot, or what it is
    /// @param point that was made from it; null if there is none
    public record Found(String origin, String name, String volume, UUID vault, State state, @Nullable String point) {

        /// {@return whether it is to go}
        ///
        /// @param forget whether what is kept is to go too
        public boolean unwanted(boolean forget) {
            return state == State.LEFT_OVER || forget && state == State.KEPT;
        }
    }

    /// @param named where to look; empty for everywhere
    public SnapshotCleaning(Vault vault, List<Origin> named, SnapshotSettings settings, Consumer<String> warnings) {
        this.vault = vault;
        this.named = named;
        this.settings = settings;
        this.warnings = warnings;
    }

    /// {@return what is there}
    public List<Found> find() throws IOException, InterruptedException {
        Map<String, Set<String>> volumes = new TreeMap<>();
        Set<String> sources = new TreeSet<>();
        for (String volume : vault.volumes()) {
            for (Point point : vault.volume(volume).read().history().points()) {
                String source = point.manifest().source();
                Origins.recorded(source, settings).ifPresent(origin -> {
                    sources.add(source);
                    volumes.computeIfAbsent(origin.toString(), o -> new TreeSet<>()).add(volume);
                });
            }
        }
        Set<Found> found = new HashSet<>();
        for (Origin origin : named.isEmpty() ? Origins.everywhere(sources, settings) : named) {
            try {
                found.addAll(find(origin, volumes.getOrDefault(origin.toString(), Set.of(Origins.lastName(origin.toString())))));
            } catch (IOException e) {
                warnings.accept(origin + ": cannot be looked at: " + e.getMessage());
            }
        }
        return found.stream().sorted(Comparator.comparing(Found::origin).thenComparing(Found::volume).thenComparing(Found::name)).toList();
    }

    private List<Found> find(Origin origin, Collection<String> volumes) throws IOException, InterruptedException {
        List<Found> found = new ArrayList<>();
        List<Snapshot> snapshots = origin.snapshots();
        Set<String> owners = new TreeSet<>(volumes);
        for (Snapshot snapshot : snapshots) {
            if (snapshot.owner().vault().equals(vault.id())) {
                owners.add(snapshot.owner().volume());
            } else {
                found.add(found(snapshot, State.FOREIGN, null));
            }
        }
        for (String volume : owners) {
            Owner owner = new Owner(vault.id(), volume);
            SnapshotPlan plan = plan(snapshots, owner);
            plan.base().ifPresent(base -> found.add(found(base.snapshot(), State.KEPT, Manifest.text(base.point().manifest().time()))));
            plan.leftovers().forEach(leftover -> found.add(found(leftover, State.LEFT_OVER, null)));
            origin.mend(owner, false).forEach(what -> found.add(new Found(origin.toString(), what, volume, vault.id(), State.LEFT_OVER, null)));
        }
        return found;
    }

    private SnapshotPlan plan(List<Snapshot> snapshots, Owner owner) throws IOException {
        Volume volume = vault.volume(owner.volume());
        History history = volume.exists() ? volume.read().sound() : new History(List.of());
        return SnapshotPlan.of(history, snapshots, owner, false);
    }

    private static Found found(Snapshot snapshot, State state, @Nullable String point) {
        return new Found(snapshot.origin(), snapshot.name(), snapshot.owner().volume(), snapshot.owner().vault(), state, point);
    }

    /// Removes what is still unwanted when its volume is this run's alone.
    ///
    /// @return how many were removed
    public int remove(List<Found> unwanted, Duration lockWait) throws IOException, InterruptedException {
        Map<String, List<Found>> byVolume = new LinkedHashMap<>();
        unwanted.forEach(found -> byVolume.computeIfAbsent(found.volume(), v -> new ArrayList<>()).add(found));
        int removed = 0;
        for (Map.Entry<String, List<Found>> entry : byVolume.entrySet()) {
            Owner owner = new Owner(vault.id(), entry.getKey());
            try (VolumeLock lock = VolumeLock.acquire(vault.volume(entry.getKey()).folder(), lockWait, "varve snapshots")) {
                for (String word : entry.getValue().stream().map(Found::origin).distinct().toList()) {
                    removed += remove(Origins.parse(word, settings).orElseThrow(), owner, entry.getValue());
                }
            }
        }
        return removed;
    }

    private int remove(Origin origin, Owner owner, List<Found> unwanted) throws IOException, InterruptedException {
        int removed = origin.mend(owner, true).size();
        List<Snapshot> snapshots = origin.snapshots();
        SnapshotPlan plan = plan(snapshots, owner);
        for (Snapshot snapshot : snapshots) {
            boolean kept = plan.base().map(base -> base.snapshot().equals(snapshot)).orElse(false);
            boolean asked = unwanted.stream().anyMatch(found -> found.name().equals(snapshot.name()) && (!kept || found.state() == State.KEPT));
            if (asked && snapshot.owner().equals(owner)) {
                origin.remove(snapshot);
                removed++;
            }
        }
        return removed;
    }
}
