package varve.archive.vault;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;
import varve.archive.hash.Hash;

/// How many copies there are of each point in time of a volume: the one judge of that, which every command asks before it removes
/// anything.
///
/// A point has `n` copies if any `n - 1` vaults may burn and it can still be restored. So it is the larger of two
/// numbers: that of the vaults which can restore it each on its own, and, over the best path of archives, the smallest
/// number of vaults that hold any one archive of it. (Both are safe to say; the true number may be larger.)
///
/// Immutable.
public final class Copies {

    private final List<StoredArchive> archives;
    private final Map<Hash, Set<UUID>> holders;
    private final Map<State, Integer> copies;

    /// @param archives of the volume, wherever their data is
    /// @param holders which vaults hold a proved copy of a data file, by its hash
    public Copies(Collection<StoredArchive> archives, Map<Hash, Set<UUID>> holders) {
        this.archives = archives.stream().filter(archive -> !archive.manifest().unchanged()).toList();
        this.holders = holders;
        this.copies = count();
    }

    private Map<State, Integer> count() {
        Map<State, List<StoredArchive>> edges =
                archives.stream().collect(Collectors.groupingBy(archive -> archive.manifest().parent()));
        Set<UUID> vaults = archives.stream().flatMap(archive -> holders(archive).stream()).collect(Collectors.toSet());
        Map<State, Integer> alone = new HashMap<>();
        Map<State, Integer> count = new HashMap<>();
        for (UUID vault : vaults) {
            reached(edges, archive -> holders(archive).contains(vault)).forEach(state -> alone.merge(state, 1, Integer::sum));
        }
        for (int n = 1; n <= vaults.size(); n++) {
            int least = n;
            reached(edges, archive -> holders(archive).size() >= least).forEach(state -> count.put(state, least));
        }
        alone.forEach((state, n) -> count.merge(state, n, Math::max));
        return count;
    }

    private static Set<State> reached(Map<State, List<StoredArchive>> edges, Predicate<StoredArchive> usable) {
        Set<State> reached = new HashSet<>();
        List<State> front = new ArrayList<>(List.of(State.NOTHING));
        while (!front.isEmpty()) {
            for (StoredArchive edge : edges.getOrDefault(front.removeLast(), List.of())) {
                if (usable.test(edge) && reached.add(edge.manifest().state())) {
                    front.add(edge.manifest().state());
                }
            }
        }
        return reached;
    }

    /// {@return the number of copies of all points in time that share a state}
    public int of(State state) {
        return copies.getOrDefault(state, 0);
    }

    /// {@return the vaults that hold a proved copy of a data file}
    public Set<UUID> holders(StoredArchive archive) {
        return holders.getOrDefault(archive.manifest().file().hash(), Set.of());
    }

    /// {@return what is left when a vault is gone}
    public Copies without(UUID vault) {
        return without(vault, archives);
    }

    /// {@return what is left when a vault has removed some data files}
    public Copies without(UUID vault, Collection<StoredArchive> removed) {
        Map<Hash, Set<UUID>> left = new HashMap<>(holders);
        for (StoredArchive archive : removed) {
            Set<UUID> others = new HashSet<>(holders(archive));
            others.remove(vault);
            left.put(archive.manifest().file().hash(), others);
        }
        return new Copies(archives, left);
    }
}
