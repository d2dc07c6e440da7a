package varve.archive.vault;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;

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
    private final Map<Inventory.DataFile, Set<UUID>> holders;
    private final Map<State, Integer> copies;

    /// @param archives of the volume, wherever their data is
    /// @param holders which vaults hold a proved copy of a data file
    public Copies(Collection<StoredArchive> archives, Map<Inventory.DataFile, Set<UUID>> holders) {
        this.archives = List.copyOf(archives);
        this.holders = holders;
        this.copies = count();
    }

    private Map<State, Integer> count() {
        History history = new History(archives);
        Set<UUID> vaults = archives.stream().flatMap(archive -> holders(archive).stream()).collect(Collectors.toSet());
        Map<State, Integer> alone = new HashMap<>();
        Map<State, Integer> count = new HashMap<>();
        for (UUID vault : vaults) {
            history.reached(archive -> holders(archive).contains(vault)).forEach(state -> alone.merge(state, 1, Integer::sum));
        }
        for (int n = 1; n <= vaults.size(); n++) {
            int least = n;
            history.reached(archive -> holders(archive).size() >= least).forEach(state -> count.put(state, least));
        }
        alone.forEach((state, n) -> count.merge(state, n, Math::max));
        return count;
    }

    /// {@return the number of copies of all points in time that share a state}
    public int of(State state) {
        return copies.getOrDefault(state, 0);
    }

    /// {@return the vaults that hold a proved copy of a data file}
    public Set<UUID> holders(StoredArchive archive) {
        return holders.getOrDefault(Inventory.DataFile.of(archive), Set.of());
    }

    /// {@return what is left when a vault is gone}
    public Copies without(UUID vault) {
        return without(vault, archives);
    }

    /// {@return what is left when a vault has removed some data files}
    public Copies without(UUID vault, Collection<StoredArchive> removed) {
        Map<Inventory.DataFile, Set<UUID>> left = new HashMap<>(holders);
        for (StoredArchive archive : removed) {
            Set<UUID> others = new HashSet<>(holders(archive));
            others.remove(vault);
            left.put(Inventory.DataFile.of(archive), others);
        }
        return new Copies(archives, left);
    }

    /// {@return the states that an archive is of use for: its own, and those that any archives lead to from there}
    public Set<State> downstream(StoredArchive archive) {
        Set<State> states = new HashSet<>(Set.of(archive.manifest().state()));
        Map<State, List<StoredArchive>> from = archives.stream().collect(Collectors.groupingBy(edge -> edge.manifest().parent()));
        List<State> front = new ArrayList<>(states);
        while (!front.isEmpty()) {
            for (StoredArchive edge : from.getOrDefault(front.removeLast(), List.of())) {
                if (states.add(edge.manifest().state())) {
                    front.add(edge.manifest().state());
                }
            }
        }
        return states;
    }

    /// {@return which of some states would have too few copies if a vault removed data files that are of use for them}
    /// @param kept the states that matter
    /// @param least copies that have to be left
    public Set<State> endangered(UUID vault, Collection<StoredArchive> removed, Set<State> kept, int least) {
        Copies left = without(vault, removed);
        Set<State> endangered = new HashSet<>();
        removed.forEach(archive -> endangered.addAll(downstream(archive)));
        endangered.retainAll(kept);
        endangered.removeIf(state -> left.of(state) >= least);
        return endangered;
    }
}
