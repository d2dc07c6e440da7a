package varve.archive;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.ExpiryPlan.Fate;
import varve.archive.ExpiryPlan.Fold;
import varve.archive.chain.CheapestArchives;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.retention.Retention;

/// Makes an [ExpiryPlan].
final class ExpiryPlanner {

    /// what is at hand is preferred to anything that is not
    private static final long FAR = 1L << 48;

    private final Retention policy;
    private final List<StoredArchive> archives;
    private final List<Point> points;
    private final SortedMap<Long, List<String>> kept;
    private final Set<StoredArchive> here;
    private final Set<StoredArchive> elsewhere;
    private final Map<State, List<StoredArchive>> into; // by the state that they lead to
    private final Map<State, Point> keptAt = new HashMap<>(); // the first of a state

    private final Map<State, StoredArchive> tree = new LinkedHashMap<>();
    private final Set<State> anchors = new HashSet<>();
    private final Map<StoredArchive, String> retained = new LinkedHashMap<>(); // and why, for points that need not be kept
    private final List<Fold> folds = new ArrayList<>();
    private final List<Point> noted = new ArrayList<>();
    private final List<String> left = new ArrayList<>();

    /// @param policy that chose
    /// @param kept numbers of the points that have to be kept, and why
    /// @param here archives whose data is at hand and, as far as is known, undamaged
    /// @param elsewhere archives of which other vaults hold proved copies, as far as is known
    ExpiryPlanner(History history, Retention policy, SortedMap<Long, List<String>> kept, Set<StoredArchive> here, Set<StoredArchive> elsewhere) {
        this.policy = policy;
        this.archives = history.archives();
        this.points = history.points();
        this.kept = kept;
        this.here = here;
        this.elsewhere = elsewhere;
        this.into = archives.stream()
                .filter(archive -> !archive.manifest().unchanged())
                .collect(Collectors.groupingBy(archive -> archive.manifest().state()));
    }

    ExpiryPlan plan() {
        points.stream().filter(this::kept).forEach(point -> keptAt.putIfAbsent(point.state(), point));
        grow();
        anchor();
        tree.keySet().stream().filter(anchors::contains).forEach(this::stretch);
        carry();
        keepLastFull();
        return new ExpiryPlan(
                policy,
                points.stream().map(this::fate).toList(),
                folds.stream().sorted(Comparator.comparingLong(fold -> fold.to().manifest().sequence())).toList(),
                List.copyOf(noted),
                archives.stream().filter(archive -> !retained.containsKey(archive) && archive.dataAtHand()).toList(),
                archives.stream().filter(archive -> !retained.containsKey(archive) && !elsewhere.contains(archive)).toList(),
                List.copyOf(left));
    }

    private boolean kept(Point point) {
        return kept.containsKey(point.manifest().sequence());
    }

    // ---- what is needed

    private void grow() {
        List<StoredArchive> usable = archives.stream().filter(archive -> here.contains(archive) || elsewhere.contains(archive)).toList();
        CheapestArchives.of(usable, this::room, keptAt.keySet()).forEach(edge -> tree.put(edge.manifest().state(), edge));
        points.stream().filter(point -> kept(point) && !tree.containsKey(point.state())).forEach(this::keepAllBefore);
    }

    private long room(StoredArchive archive) {
        long size = archive.manifest().file().size();
        return here.contains(archive) || size > Long.MAX_VALUE - FAR ? size : size + FAR;
    }

    /// some other copy of what is missing may bring the point back
    private void keepAllBefore(Point point) {
        left.add(name(point) + " cannot be restored with what is at hand or proved elsewhere: nothing that leads to it goes");
        Deque<State> front = new ArrayDeque<>(List.of(point.state()));
        while (!front.isEmpty()) {
            State state = front.remove();
            anchors.add(state);
            for (StoredArchive edge : into.getOrDefault(state, List.of())) {
                if (retained.putIfAbsent(edge, "leads to " + name(point)) == null) {
                    front.add(edge.manifest().parent());
                }
            }
        }
    }

    /// states that no fold may skip: of kept points, after fulls, where ways part
    private void anchor() {
        anchors.addAll(keptAt.keySet());
        Set<State> parents = new HashSet<>();
        for (StoredArchive edge : tree.values()) {
            if (edge.manifest().kind() == Kind.FULL) {
                anchors.add(edge.manifest().state());
            }
            if (!parents.add(edge.manifest().parent())) {
                anchors.add(edge.manifest().parent());
            }
        }
    }

    // ---- what becomes of it

    /// decides on the archives that lead to an anchor from the one before
    private void stretch(State to) {
        Deque<StoredArchive> stretch = new ArrayDeque<>();
        State from = to;
        do {
            stretch.addFirst(tree.get(from));
            from = stretch.getFirst().manifest().parent();
        } while (!anchors.contains(from) && !from.equals(State.NOTHING));
        if (stretch.size() == 1) {
            retained.putIfAbsent(stretch.getFirst(), use(stretch.getFirst()));
            return;
        }
        State start = from;
        Optional<StoredArchive> shortcut = into.get(to).stream()
                .filter(edge -> here.contains(edge) && edge.manifest().parent().equals(start))
                .min(Comparator.comparingLong(edge -> edge.manifest().file().size()));
        if (shortcut.isPresent()) {
            retained.putIfAbsent(shortcut.get(), use(shortcut.get()));
            return;
        }
        List<StoredArchive> before = before(start);
        String missing = missing(before, stretch);
        if (missing.isEmpty()) {
            folds.add(new Fold(before, List.copyOf(stretch), target(stretch.getLast())));
        } else {
            left.add("the " + stretch.size() + " archives from " + stretch.getFirst().manifest().baseName() + " to "
                    + stretch.getLast().manifest().baseName() + " are not folded, for that needs " + missing + "; bring it back to "
                    + stretch.getFirst().folder() + " and run this again");
            stretch.forEach(archive -> retained.putIfAbsent(archive, "not folded: data is away"));
        }
    }

    /// {@return what leads to a state of the tree, full first}
    private List<StoredArchive> before(State to) {
        Deque<StoredArchive> path = new ArrayDeque<>();
        for (State state = to; !state.equals(State.NOTHING); state = path.getFirst().manifest().parent()) {
            path.addFirst(tree.get(state));
        }
        return List.copyOf(path);
    }

    private String use(StoredArchive archive) {
        Point user = keptAt.get(archive.manifest().state());
        if (user != null) {
            return "holds the state of " + name(user);
        }
        return archive.manifest().kind() == Kind.FULL ? "the full that others rest on" : "others rest on it";
    }

    /// {@return what is needed to fold a stretch, and not at hand}
    private String missing(List<StoredArchive> before, Deque<StoredArchive> stretch) {
        return Stream.concat(
                        before.stream().filter(archive -> !archive.indexAtHand()).map(archive -> archive.manifest().baseName() + ".index"),
                        stretch.stream().filter(archive -> !here.contains(archive)).map(archive -> archive.manifest().dataName()))
                .collect(Collectors.joining(", "));
    }

    /// {@return the point that a new archive to the state of an old one carries: of the kept ones, one that nothing else does}
    private Point target(StoredArchive last) {
        State state = last.manifest().state();
        return points.stream()
                .filter(point -> point.state().equals(state) && (kept(point) || !keptAt.containsKey(state)))
                .min(Comparator.comparing((Point point) -> !point.archives().contains(last))
                        .thenComparing(point -> point.archives().stream().anyMatch(archive -> archive.manifest().unchanged())))
                .orElseThrow();
    }

    /// each kept point needs a manifest that tells of it
    private void carry() {
        Set<Point> carried = folds.stream().map(Fold::to).collect(Collectors.toSet());
        for (Point point : points) {
            if (!kept(point) || carried.contains(point) || point.archives().stream().anyMatch(retained::containsKey)) {
                continue;
            }
            Optional<StoredArchive> unchanged = point.archives().stream().filter(archive -> archive.manifest().unchanged()).findFirst();
            unchanged.ifPresentOrElse(archive -> retained.put(archive, ""), () -> noted.add(point));
        }
    }

    private void keepLastFull() {
        if (retained.keySet().stream().noneMatch(archive -> archive.manifest().kind() == Kind.FULL)) {
            archives.stream()
                    .filter(archive -> archive.manifest().kind() == Kind.FULL)
                    .reduce((older, newer) -> newer)
                    .ifPresent(full -> retained.put(full, "the last full"));
        }
    }

    private Fate fate(Point point) {
        if (kept(point)) {
            return new Fate(point, true, List.copyOf(kept.get(point.manifest().sequence())));
        }
        Set<String> uses = new LinkedHashSet<>();
        point.archives().stream().filter(retained::containsKey).forEach(archive -> uses.add(retained.get(archive)));
        if (folds.stream().anyMatch(fold -> fold.to().equals(point))) {
            uses.add("others rest on it");
        }
        if (uses.isEmpty() && point.archives().stream().noneMatch(StoredArchive::dataAtHand) && point.archives().stream().anyMatch(elsewhere::contains)) {
            uses.add("only in other vaults");
        }
        return new Fate(point, false, List.copyOf(uses));
    }

    private static String name(Point point) {
        Manifest manifest = point.manifest();
        return manifest.volume() + "@" + Manifest.text(manifest.time());
    }
}
