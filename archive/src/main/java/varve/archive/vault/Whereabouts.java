package varve.archive.vault;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;

/// What it takes to restore a point in time: which vaults, for which archives.
///
/// As few vaults as possible have to be brought, and with these as few bytes as possible are read.
///
/// @param point that it is about
/// @param legs the vaults, in the order of their first archive on the path
/// @param missing archives on the path that no vault is known to hold; then the point cannot be restored from what is known
/// @param copies how many proved copies of the point there are
public record Whereabouts(Point point, List<Leg> legs, List<StoredArchive> missing, int copies) {

    /// vaults to be brought, of which every choice is tried
    private static final int MOST_TRIED = 3;

    /// One vault's part.
    ///
    /// @param archives to be read there
    /// @param proved when the one that was not proved for the longest time was; empty if one never was
    /// @param depth the least to which they were
    public record Leg(UUID vault, boolean atHand, List<StoredArchive> archives, Optional<Instant> proved, Depth depth) {

        /// {@return bytes of the archives}
        public long size() {
            return archives.stream().mapToLong(archive -> archive.manifest().file().size()).sum();
        }
    }

    /// {@return whether nothing has to be brought}
    public boolean atHand() {
        return missing.isEmpty() && legs.stream().allMatch(Leg::atHand);
    }

    /// {@return the vaults that have to be brought}
    public List<UUID> away() {
        return legs.stream().filter(leg -> !leg.atHand).map(Leg::vault).toList();
    }

    /// Finds out what it takes.
    ///
    /// @param history of the volume, as far as there are manifests
    public static Whereabouts of(Catalogue catalogue, String volume, History history, Point point) throws IOException {
        return new Search(catalogue, volume, history, point).run();
    }

    private static final class Search {

        private final Catalogue catalogue;
        private final History history;
        private final Point point;
        private final Map<UUID, Map<Inventory.DataFile, Inventory.Held>> held = new LinkedHashMap<>();
        private final int copies;

        Search(Catalogue catalogue, String volume, History history, Point point) throws IOException {
            this.catalogue = catalogue;
            this.history = history;
            this.point = point;
            this.copies = catalogue.copies(volume, history.archives()).of(point.state());
            catalogue.stocks(volume).forEach((vault, stock) -> {
                Map<Inventory.DataFile, Inventory.Held> files = new LinkedHashMap<>();
                stock.archives().stream()
                        .filter(file -> file.proof().isEmpty() || file.proved()) // not what is known to be damaged
                        .forEach(file -> files.put(file.file(), file));
                held.put(vault, files);
            });
        }

        Whereabouts run() {
            Set<UUID> here = new HashSet<>(catalogue.atHand().stream().map(Vault::id).toList());
            List<UUID> away = held.keySet().stream()
                    .filter(vault -> !here.contains(vault))
                    .sorted(Comparator.comparing((UUID vault) -> catalogue.standing(vault).state()).thenComparing(UUID::toString))
                    .toList();
            for (int count = 0; count <= Math.min(MOST_TRIED, away.size()); count++) {
                Optional<Set<UUID>> best = best(here, away, count);
                if (best.isPresent()) {
                    return found(path(best.get()).orElseThrow(), best.get());
                }
            }
            return path(held.keySet()).map(path -> found(path, held.keySet())).orElseGet(this::lost);
        }

        private Optional<List<StoredArchive>> path(Set<UUID> vaults) {
            return history.path(point.state(), archive -> vaults.stream().anyMatch(vault -> holds(vault, archive)));
        }

        private boolean holds(UUID vault, StoredArchive archive) {
            return held.getOrDefault(vault, Map.of()).containsKey(Inventory.DataFile.of(archive));
        }

        /// the choice of vaults to bring with which the fewest bytes are read; those that are relied on first
        private Optional<Set<UUID>> best(Set<UUID> here, List<UUID> away, int count) {
            Optional<Set<UUID>> best = Optional.empty();
            long least = Long.MAX_VALUE;
            int doubts = Integer.MAX_VALUE;
            for (List<UUID> some : choices(away, count, 0)) {
                Set<UUID> vaults = new HashSet<>(here);
                vaults.addAll(some);
                Optional<List<StoredArchive>> path = path(vaults);
                int doubtful = (int) some.stream().filter(vault -> !catalogue.standing(vault).counts()).count();
                long size = path.stream().flatMap(List::stream).mapToLong(archive -> archive.manifest().file().size()).sum();
                if (path.isPresent() && (doubtful < doubts || (doubtful == doubts && size < least))) {
                    best = Optional.of(vaults);
                    least = size;
                    doubts = doubtful;
                }
            }
            return best;
        }

        private static List<List<UUID>> choices(List<UUID> from, int count, int start) {
            if (count == 0) {
                return List.of(List.of());
            }
            List<List<UUID>> choices = new ArrayList<>();
            for (int i = start; i < from.size(); i++) {
                for (List<UUID> rest : choices(from, count - 1, i + 1)) {
                    List<UUID> choice = new ArrayList<>(List.of(from.get(i)));
                    choice.addAll(rest);
                    choices.add(choice);
                }
            }
            return choices;
        }

        private Whereabouts found(List<StoredArchive> path, Set<UUID> vaults) {
            List<UUID> order = held.keySet().stream()
                    .filter(vaults::contains)
                    .sorted(Comparator.comparing((UUID vault) -> catalogue.atHand(vault).isEmpty()))
                    .toList();
            Map<UUID, List<StoredArchive>> parts = new LinkedHashMap<>();
            for (StoredArchive archive : path) {
                UUID from = order.stream().filter(vault -> holds(vault, archive)).findFirst().orElseThrow();
                parts.computeIfAbsent(from, vault -> new ArrayList<>()).add(archive);
            }
            List<Leg> legs = parts.entrySet().stream().map(part -> leg(part.getKey(), part.getValue())).toList();
            return new Whereabouts(point, legs, List.of(), copies);
        }

        private Leg leg(UUID vault, List<StoredArchive> archives) {
            Optional<Instant> oldest = Optional.of(Instant.MAX);
            Depth depth = Depth.CONTENT;
            for (StoredArchive archive : archives) {
                Optional<Inventory.Proof> proof = held.get(vault).get(Inventory.DataFile.of(archive)).proof();
                Optional<Instant> time = proof.map(Inventory.Proof::time);
                oldest = oldest.isEmpty() || time.isEmpty() ? Optional.empty() : time.get().isBefore(oldest.get()) ? time : oldest;
                Depth reached = proof.map(Inventory.Proof::depth).orElse(Depth.STRUCTURE);
                depth = reached.includes(depth) ? depth : reached;
            }
            return new Leg(vault, catalogue.atHand(vault).isPresent(), List.copyOf(archives), oldest, depth);
        }

        /// no vaults together have it: the best that can be said is which archives nobody has
        private Whereabouts lost() {
            List<StoredArchive> path = history.path(point.state(), any -> true).orElse(point.archives());
            List<StoredArchive> missing = path.stream()
                    .filter(archive -> held.keySet().stream().noneMatch(vault -> holds(vault, archive)))
                    .toList();
            return new Whereabouts(point, List.of(), missing.isEmpty() ? path : missing, copies);
        }
    }
}
