package varve.archive.chain;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;

/// The archives of one volume as a graph: states of the device are the nodes, archives the edges.
///
/// A full comes from [State#NOTHING], a delta leads from its parent's state to its own. Several points in time may share
/// a state, and a device may come back to an old one; so a point is restored along the cheapest path to its state,
/// whatever archives were made in between.
///
/// @param archives by number of their point in time, ascending, the original one of a point first
public record History(List<StoredArchive> archives) {

    /// {@return the points in time, by number}
    public List<Point> points() {
        List<Point> points = new ArrayList<>();
        for (int from = 0; from < archives.size(); ) {
            int to = from + 1;
            while (to < archives.size() && archives.get(to).manifest().describesPointOf(archives.get(from).manifest())) {
                to++;
            }
            points.add(new Point(archives.subList(from, to)));
            from = to;
        }
        return List.copyOf(points);
    }

    /// {@return this and the archive of a new point in time}
    public History with(StoredArchive newest) {
        List<StoredArchive> more = new ArrayList<>(archives);
        more.add(newest);
        return new History(List.copyOf(more));
    }

    /// {@return the newest point in time}
    public Optional<Point> latest() {
        List<Point> points = points();
        return points.isEmpty() ? Optional.empty() : Optional.of(points.getLast());
    }

    /// Finds the path of archives that leads to a state with the fewest bytes to read.
    ///
    /// @param usable which archives may be used
    /// @return full first; empty if no path leads there
    public Optional<List<StoredArchive>> path(State state, Predicate<StoredArchive> usable) {
        return path(State.NOTHING, state, usable);
    }

    /// Finds the path of archives that leads from one state to another with the fewest bytes to read.
    ///
    /// @param from [State#NOTHING], or a state that is not `state`
    /// @return empty if no path leads there
    public Optional<List<StoredArchive>> path(State from, State state, Predicate<StoredArchive> usable) {
        record Reached(State state, long cost) {}
        Map<State, StoredArchive> by = new HashMap<>();
        Map<State, Long> costs = new HashMap<>();
        PriorityQueue<Reached> front = new PriorityQueue<>(Comparator.comparingLong(Reached::cost));
        Map<State, List<StoredArchive>> edges = new HashMap<>();
        for (StoredArchive archive : archives) {
            if (!archive.manifest().unchanged() && usable.test(archive)) {
                edges.computeIfAbsent(archive.manifest().parent(), s -> new ArrayList<>()).add(archive);
            }
        }
        front.add(new Reached(from, 0));
        costs.put(from, 0L);
        while (!front.isEmpty()) {
            Reached here = front.remove();
            if (here.cost > costs.getOrDefault(here.state, Long.MAX_VALUE)) {
                continue;
            }
            if (here.state.equals(state) && by.containsKey(state)) {
                return Optional.of(walkBack(from, state, by));
            }
            for (StoredArchive edge : edges.getOrDefault(here.state, List.of())) {
                State next = edge.manifest().state();
                long size = edge.manifest().file().size();
                long cost = here.cost > Long.MAX_VALUE - size ? Long.MAX_VALUE : here.cost + size; // what no disk holds is no path
                if (cost < costs.getOrDefault(next, Long.MAX_VALUE)) {
                    costs.put(next, cost);
                    by.put(next, edge);
                    front.add(new Reached(next, cost));
                }
            }
        }
        return Optional.empty();
    }

    /// {@return all states to which a path leads}
    /// @param usable which archives may be used
    public Set<State> reached(Predicate<StoredArchive> usable) {
        Map<State, List<StoredArchive>> from = archives.stream()
                .filter(archive -> !archive.manifest().unchanged() && usable.test(archive))
                .collect(Collectors.groupingBy(archive -> archive.manifest().parent()));
        Set<State> reached = new HashSet<>();
        Deque<State> front = new ArrayDeque<>(List.of(State.NOTHING));
        while (!front.isEmpty()) {
            for (StoredArchive edge : from.getOrDefault(front.remove(), List.of())) {
                if (reached.add(edge.manifest().state())) {
                    front.add(edge.manifest().state());
                }
            }
        }
        return reached;
    }

    private static List<StoredArchive> walkBack(State from, State state, Map<State, StoredArchive> by) {
        Deque<StoredArchive> path = new ArrayDeque<>();
        State here = state;
        do {
            StoredArchive edge = by.get(here);
            path.addFirst(edge);
            here = edge.manifest().parent();
        } while (!here.equals(from));
        return List.copyOf(path);
    }
}
