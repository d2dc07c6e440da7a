package varve.archive.chain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;

/// Which archives have to be brought somewhere so that some states can be restored there: as few bytes as possible.
///
/// Archives are the edges of a graph, states its nodes, and what is sought is a tree from [State#NOTHING] to all wanted states in
/// which archives that are there already cost nothing. If every state that the tree goes through is wanted, that is a
/// minimum spanning arborescence, and is found exactly (Edmonds' algorithm). Else it is a Steiner tree, for which no quick exact way
/// is known: then the wanted states are joined to the tree one after the other, the nearest first, and the best tree over the
/// states that are in it then is taken, as long as that saves anything.
public final class CheapestArchives {

    private final List<Edge> edges = new ArrayList<>();
    private final Map<State, Integer> numbers = new HashMap<>();
    private final Set<Integer> wanted = new LinkedHashSet<>();

    private record Edge(int from, int to, long cost, StoredArchive archive) {}

    private CheapestArchives(Collection<StoredArchive> archives, ToLongFunction<StoredArchive> cost, Collection<State> states) {
        number(State.NOTHING);
        archives.forEach(archive -> add(archive, cost.applyAsLong(archive)));
        states.forEach(state -> wanted.add(number(state)));
    }

    private int number(State state) {
        return numbers.computeIfAbsent(state, s -> numbers.size());
    }

    private void add(StoredArchive archive, long cost) {
        int from = number(archive.manifest().parent());
        int to = number(archive.manifest().state());
        if (from != to && to != 0) {
            edges.add(new Edge(from, to, cost, archive));
        }
    }

    /// {@return the archives of a cheapest tree that leads to some states, in an order in which each follows its parent}
    /// @param archives that can be used
    /// @param cost of each, 0 for one that is there
    /// @param states wanted; those to which no path of these archives leads are passed over
    public static List<StoredArchive> of(
            Collection<StoredArchive> archives, ToLongFunction<StoredArchive> cost, Collection<State> states) {
        CheapestArchives graph = new CheapestArchives(archives, cost, states);
        return graph.inOrder(graph.tree()).stream().map(Edge::archive).toList();
    }

    private List<Edge> inOrder(List<Edge> tree) {
        Map<Integer, List<Edge>> from = new HashMap<>();
        tree.forEach(edge -> from.computeIfAbsent(edge.from, node -> new ArrayList<>()).add(edge));
        List<Edge> order = new ArrayList<>(from.getOrDefault(0, List.of()));
        for (int i = 0; i < order.size(); i++) {
            order.addAll(from.getOrDefault(order.get(i).to, List.of()));
        }
        return order;
    }

    private List<Edge> tree() {
        List<Edge> best = join();
        while (true) {
            Set<Integer> nodes = new HashSet<>(Set.of(0));
            best.forEach(edge -> nodes.add(edge.to));
            List<Edge> inside = edges.stream().filter(edge -> nodes.contains(edge.from) && nodes.contains(edge.to)).toList();
            List<Edge> next = prune(arborescence(inside));
            if (cost(next) >= cost(best)) {
                return best;
            }
            best = next;
        }
    }

    private static long cost(List<Edge> tree) {
        return tree.stream().mapToLong(Edge::cost).reduce(0, (a, b) -> a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b);
    }

    /// joins the wanted nodes to the root, the nearest first
    private List<Edge> join() {
        record Reached(int node, long distance) {}
        Map<Integer, List<Edge>> from = new HashMap<>();
        edges.forEach(edge -> from.computeIfAbsent(edge.from, node -> new ArrayList<>()).add(edge));
        long[] distance = new long[numbers.size()];
        Arrays.fill(distance, Long.MAX_VALUE);
        Edge[] by = new Edge[numbers.size()];
        boolean[] inTree = new boolean[numbers.size()];
        PriorityQueue<Reached> front = new PriorityQueue<>(Comparator.comparingLong(Reached::distance));
        distance[0] = 0;
        inTree[0] = true;
        front.add(new Reached(0, 0));
        while (!front.isEmpty()) {
            Reached here = front.remove();
            if (here.distance > distance[here.node]) {
                continue;
            }
            if (wanted.contains(here.node) && !inTree[here.node]) { // what leads to it is in the tree now, and costs no more
                for (int node = here.node; !inTree[node]; node = by[node].from) {
                    inTree[node] = true;
                    distance[node] = 0;
                    front.add(new Reached(node, 0));
                }
                continue;
            }
            for (Edge edge : from.getOrDefault(here.node, List.of())) {
                long next = here.distance > Long.MAX_VALUE - edge.cost ? Long.MAX_VALUE : here.distance + edge.cost;
                if (!inTree[edge.to] && next < distance[edge.to]) {
                    distance[edge.to] = next;
                    by[edge.to] = edge;
                    front.add(new Reached(edge.to, next));
                }
            }
        }
        List<Edge> tree = new ArrayList<>();
        for (int node = 1; node < by.length; node++) {
            if (inTree[node]) {
                tree.add(by[node]);
            }
        }
        return tree;
    }

    /// {@return the tree without what leads to nothing that is wanted}
    private List<Edge> prune(List<Edge> tree) {
        Map<Integer, Edge> into = new HashMap<>();
        tree.forEach(edge -> into.put(edge.to, edge));
        Set<Edge> needed = new LinkedHashSet<>();
        for (int node : wanted) {
            for (Edge edge = into.get(node); edge != null && needed.add(edge); edge = into.get(edge.from)) {
                // up to the root
            }
        }
        return List.copyOf(needed);
    }

    /// The minimum spanning arborescence from node 0, by Edmonds: each node takes its cheapest edge; where these form a cycle, the
    /// cycle becomes one node, edges into it cost what they would save inside, and the same is done again.
    ///
    /// @param inside edges among nodes that can all be reached from 0
    private List<Edge> arborescence(List<Edge> inside) {
        List<Arc> arcs = inside.stream().map(edge -> new Arc(edge.from, edge.to, edge.cost, edge, null)).toList();
        return solve(arcs, numbers.size()).stream().map(Arc::edge).toList();
    }

    /// An edge in a graph with some cycles made one node.
    ///
    /// @param below the same edge before the last cycle was
    private record Arc(int from, int to, long cost, Edge edge, @Nullable Arc below) {}

    private static List<Arc> solve(List<Arc> arcs, int nodes) {
        @Nullable Arc[] best = new Arc[nodes];
        for (Arc arc : arcs) {
            if (arc.to != 0 && arc.from != arc.to && (best[arc.to] == null || arc.cost < best[arc.to].cost)) {
                best[arc.to] = arc;
            }
        }
        int[] cycle = cycle(best);
        if (cycle.length == 0) {
            return Arrays.stream(best).filter(arc -> arc != null).toList();
        }
        boolean[] inCycle = new boolean[nodes];
        for (int node : cycle) {
            inCycle[node] = true;
        }
        int merged = nodes; // the cycle as one node
        List<Arc> above = new ArrayList<>();
        for (Arc arc : arcs) {
            int from = inCycle[arc.from] ? merged : arc.from;
            int to = inCycle[arc.to] ? merged : arc.to;
            if (from != to) {
                above.add(new Arc(from, to, to == merged ? arc.cost - best[arc.to].cost : arc.cost, arc.edge, arc));
            }
        }
        List<Arc> tree = new ArrayList<>();
        int entered = -1;
        for (Arc arc : solve(above, nodes + 1)) {
            tree.add(arc.below);
            entered = arc.to == merged ? arc.below.to : entered;
        }
        for (int node : cycle) {
            if (node != entered) {
                tree.add(best[node]);
            }
        }
        return tree;
    }

    /// {@return the nodes of a cycle among the best edges, if there is one}
    private static int[] cycle(@Nullable Arc[] best) {
        int[] color = new int[best.length];
        for (int start = 1; start < best.length; start++) {
            int node = start;
            while (node != 0 && best[node] != null && color[node] == 0) {
                color[node] = start;
                node = best[node].from;
            }
            if (node != 0 && best[node] != null && color[node] == start) {
                List<Integer> cycle = new ArrayList<>();
                int at = node;
                do {
                    cycle.add(at);
                    at = best[at].from;
                } while (at != node);
                return cycle.stream().mapToInt(i -> i).toArray();
            }
        }
        return new int[0];
    }
}
