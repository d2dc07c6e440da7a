package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.vault.Depth;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// One verification at work.
///
/// First every archive that is asked for by itself ([ArchiveCheck]). Then along paths of archives that share a chain, so
/// that tables are opened once: do the hashes combine to the roots, and, as deep as asked, what does each data file hold
/// ([DataCheck], [FileSweep])?
///
/// Of a whole volume every node of every archive is proved, as of the archive's own point in time. Of one point in time those
/// nodes are proved that no newer archive on its path replaces: together they are the device.
final class Verification {

    private final Vault vault;
    private final Volume volume;
    private final Volume.Content content;
    private final History history;
    private final PointName name;
    private final Depth depth;
    private final VerifyOptions options;
    private final Watcher watcher;

    private final Findings findings = new Findings();
    private final Obstacles obstacles = new Obstacles();
    private final Map<StoredArchive, ArchiveCheck.Usable> checked = new LinkedHashMap<>();
    private final Set<StoredArchive> done = new LinkedHashSet<>();
    private final Set<StoredArchive> innocent = new LinkedHashSet<>(); // that could not be proved for the sake of others
    private final Set<Path> files = new LinkedHashSet<>();
    private final Map<StoredArchive, Receipt.Proof> proofs = new LinkedHashMap<>();
    private long read;
    private long proved;
    private long zeros;

    Verification(
            Vault vault,
            Volume volume,
            Volume.Content content,
            PointName name,
            VerifyOptions options,
            Watcher watcher) {
        this.vault = vault;
        this.volume = volume;
        this.content = content;
        this.history = content.history();
        this.name = name;
        this.depth = options.depth();
        this.options = options;
        this.watcher = watcher;
    }

    Report run(InstantSource clock) throws IOException {
        Instant started = clock.instant();
        long start = System.nanoTime();
        List<Point> points = points();
        FolderCheck.run(volume, content, findings);
        for (StoredArchive archive : history.archives()) {
            count(archive.manifestFile(), archive.manifest().encode().length);
        }
        if (name.point().isEmpty()) {
            proveAll();
        } else {
            for (Point point : points) {
                provePoint(point);
            }
        }
        return new Report(
                vault.folder(),
                vault.id(),
                volume.name(),
                name.point(),
                depth,
                started,
                Duration.ofNanos(System.nanoTime() - start),
                files.size(),
                read,
                proved,
                zeros,
                points.stream().map(this::verdict).toList(),
                FolderCheck.unreadable(content),
                history.points().size() - points.size(),
                findings.list(),
                List.copyOf(proofs.values()));
    }

    private List<Point> points() throws NotFoundException {
        boolean problems = !content.problems().isEmpty();
        if (name.point().isEmpty()) {
            if (history.archives().isEmpty() && !problems) {
                throw new NotFoundException("volume \"" + volume.name() + "\" has no points in time");
            }
            return history.points();
        }
        try {
            return List.of(name.in(history));
        } catch (NotFoundException e) {
            if (problems) {
                return List.of(); // it may be one of those whose manifests are damaged
            }
            throw e;
        }
    }

    private void proveAll() throws IOException {
        history.archives().forEach(this::check);
        begin(history.archives());
        // the newest first: on the path to it lie most of the others
        for (StoredArchive archive : history.archives().reversed()) {
            if (!done.contains(archive)) {
                Optional<List<StoredArchive>> path = pathThrough(archive);
                if (path.isPresent()) {
                    prove(path.get(), false);
                } else {
                    prove(archive, null, 0, false);
                }
            }
        }
        tryOtherPaths();
    }

    /// Deltas that stand on damage get another chance, if another path to what they apply to was found good meanwhile.
    private void tryOtherPaths() throws IOException {
        for (StoredArchive archive : history.archives()) {
            Optional<List<StoredArchive>> below = innocent.contains(archive) ? history.path(archive.manifest().parent(), this::good) : Optional.empty();
            if (below.isPresent()) {
                obstacles.remove(archive);
                done.remove(archive);
                prove(Stream.concat(below.get().stream(), Stream.of(archive)).toList(), false);
            }
        }
    }

    private void provePoint(Point point) throws IOException {
        State state = point.state();
        Optional<List<StoredArchive>> path = path(state);
        List<StoredArchive> all = path.or(() -> history.path(state, any -> true)).orElse(point.archives());
        all.forEach(this::check);
        begin(all);
        if (path.isPresent()) {
            prove(path.get(), true);
            return;
        }
        if (history.path(state, any -> true).isEmpty()) {
            broken(point.archive());
        }
        for (StoredArchive archive : all) {
            prove(archive, null, 0, true);
        }
    }

    private ArchiveCheck.Usable check(StoredArchive archive) {
        ArchiveCheck.Usable known = checked.get(archive);
        if (known != null) {
            return known;
        }
        ArchiveCheck.Usable usable = ArchiveCheck.run(archive, findings);
        checked.put(archive, usable);
        if (usable.verdict() != Severity.NOTE) {
            obstacles.add(archive, usable.verdict(), name(archive));
        }
        long index = archive.manifest().index().size();
        if (Files.exists(archive.index())) {
            count(archive.index(), index);
        }
        if (archive.dataAtHand() && depth == Depth.STRUCTURE) { // its own copy of the tables
            count(archive.data(), index);
        }
        if (archive.dataAtHand() || usable.verdict() == Severity.DAMAGE) {
            keep(archive, Depth.STRUCTURE, Ranges.NONE, Ranges.NONE);
        }
        return usable;
    }

    /// keeps what was found of an archive, for the receipt
    private void keep(StoredArchive archive, Depth reached, Ranges good, Ranges bad) {
        boolean damaged = !bad.isEmpty() || checked.get(archive).verdict() == Severity.DAMAGE;
        Receipt.Result result = damaged ? Receipt.Result.DAMAGED : Receipt.Result.OK;
        proofs.put(archive, Receipt.Proof.of(archive.manifest(), reached, result, good, bad));
    }

    private void begin(List<StoredArchive> scope) {
        if (depth.includes(Depth.STORED)) {
            watcher.begin(scope.stream()
                    .filter(StoredArchive::dataAtHand)
                    .mapToLong(archive -> archive.manifest().file().size())
                    .sum());
        }
    }

    /// {@return the path on which an archive can be proved, itself last} None if nothing can be told of it but the hashes of
    /// its file: because its tables are no good, because no path leads to it, or because there is nothing in it.
    private Optional<List<StoredArchive>> pathThrough(StoredArchive archive) {
        if (!check(archive).tables() || archive.manifest().unchanged()) {
            return Optional.empty();
        }
        State parent = archive.manifest().parent();
        if (parent.equals(State.NOTHING)) {
            return Optional.of(List.of(archive));
        }
        Optional<List<StoredArchive>> below = path(parent);
        if (below.isEmpty()) {
            List<StoredArchive> any = history.path(parent, a -> true).orElse(List.of());
            if (any.isEmpty()) {
                broken(archive);
            }
            obstacles.files(any).forEach(file -> obstacles.add(archive, obstacles.worst(any), file));
            return Optional.empty();
        }
        List<StoredArchive> path = new ArrayList<>(below.get());
        path.add(archive);
        return Optional.of(path);
    }

    private void broken(StoredArchive archive) {
        findings.add(new Finding.BrokenChain(name(archive), name(archive) + ": no archive in this vault leads to what it applies to, "
                + archive.manifest().parent()));
        obstacles.add(archive, Severity.DAMAGE, name(archive));
    }

    /// {@return the best path to a state: all good, else all data files usable, else all tables}
    private Optional<List<StoredArchive>> path(State state) {
        while (true) {
            Optional<List<StoredArchive>> path = history.path(state, a -> hasData(a) && obstacles.none(a))
                    .or(() -> history.path(state, this::hasData))
                    .or(() -> history.path(state, this::hasTables));
            List<StoredArchive> news = path.orElse(List.of()).stream().filter(a -> !checked.containsKey(a)).toList();
            if (news.isEmpty()) {
                return path;
            }
            news.forEach(this::check);
        }
    }

    private boolean hasData(StoredArchive archive) {
        ArchiveCheck.Usable usable = checked.get(archive);
        return usable == null ? archive.dataAtHand() : usable.tables() && usable.data();
    }

    private boolean hasTables(StoredArchive archive) {
        ArchiveCheck.Usable usable = checked.get(archive);
        return usable == null ? archive.indexAtHand() : usable.tables();
    }

    /// Proves the archives on a path: all of their nodes, or those that are live at its end.
    private void prove(List<StoredArchive> path, boolean live) throws IOException {
        StoredArchive last = path.getLast();
        try (Chain chain = open(path)) {
            if (chain == null) { // the others will be looked at on paths of their own
                for (StoredArchive archive : live ? path : List.of(last)) {
                    prove(archive, null, 0, live);
                }
                return;
            }
            for (int layer = 0; layer < path.size(); layer++) {
                if (!done.contains(path.get(layer))) {
                    if (layer < path.size() - 1 && !live) {
                        proveRoot(chain, layer);
                    }
                    prove(path.get(layer), chain, layer, live);
                }
            }
        }
    }

    private @Nullable Chain open(List<StoredArchive> path) {
        try {
            return Chain.open(path);
        } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
            wrongRoot(path.getLast(), e);
            return null;
        }
    }

    private void proveRoot(Chain chain, int layer) {
        try {
            chain.proveRoot(layer);
        } catch (IOException | RuntimeException | InternalError e) {
            wrongRoot(chain.archive(layer), e);
        }
    }

    private void wrongRoot(StoredArchive archive, Throwable thrown) {
        findings.add(name(archive), thrown, text -> new Finding.WrongRoot(name(archive), Findings.rule(thrown), text));
        obstacles.add(archive, Severity.DAMAGE, name(archive));
    }

    /// Proves the data file of one archive as deep as asked.
    ///
    /// @param chain null if the content cannot be proved, or there is none
    private void prove(StoredArchive archive, @Nullable Chain chain, int layer, boolean live) throws IOException {
        done.add(archive);
        if (!depth.includes(Depth.STORED)) {
            return;
        }
        FileSweep.Content nodes = null;
        if (depth.includes(Depth.CONTENT) && chain != null) {
            List<StoredArchive> below = IntStream.rangeClosed(0, layer).mapToObj(chain::archive).toList();
            if (below.stream().allMatch(this::hasData)) {
                nodes = new FileSweep.Content(chain, layer, live, options.hashZeros());
            } else {
                obstacles.files(below).forEach(file -> obstacles.add(archive, obstacles.worst(below), file));
            }
        }
        if (archive.dataAtHand()) {
            sweep(archive, nodes);
        }
    }

    private void sweep(StoredArchive archive, FileSweep.@Nullable Content nodes) throws IOException {
        DataCheck data = new DataCheck(archive, findings, watcher);
        Ranges[] badFrames = {Ranges.NONE};
        long[] faults = {0};
        try (Blame blame = nodes == null ? null : new Blame(nodes.chain())) {
            boolean whole = data.run(options.threads(), nodes, seen -> {
                proved += seen.proved;
                zeros += seen.zeros;
                for (FileSweep.Fault fault : seen.faults) {
                    faults[0]++;
                    Node.Frame frame = fault.node().frame();
                    if (fault(nodes, fault, blame) && frame.size() > 0) {
                        badFrames[0] = badFrames[0].plus(Ranges.of(frame.position(), frame.end()));
                    }
                }
            });
            if (!whole && nodes == null) {
                obstacles.add(archive, Severity.DAMAGE, name(archive));
            }
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            findings.unreadable(name(archive), 0, archive.manifest().file().size(), e);
            obstacles.add(archive, Severity.DAMAGE, name(archive));
            badFrames[0] = Ranges.of(0, archive.manifest().file().size());
        }
        boolean content = nodes != null && !nodes.live() && faults[0] == 0;
        Ranges bad = data.damaged().plus(badFrames[0]);
        keep(archive, content ? Depth.CONTENT : Depth.STORED, data.proved(), bad);
        count(archive.data(), data.read());
        if (Files.exists(archive.tree())) {
            count(archive.tree(), FileTree.HEAD_SIZE + FileTree.groups(archive.manifest().file().size()) * Hash.SIZE);
        }
    }

    /// {@return whether the archive at hand is to blame}
    private boolean fault(FileSweep.Content nodes, FileSweep.Fault fault, Blame blame) {
        Node node = fault.node();
        Blame.Culprit culprit = blame.culprit(nodes.layer(), node.chunk(), fault.cause());
        StoredArchive guilty = nodes.chain().archive(culprit.layer());
        Geometry geometry = nodes.index().geometry();
        findings.chunk(name(guilty), geometry.offset(node.chunk()), geometry.length(node.chunk(), node.count()), culprit.cause());
        obstacles.add(guilty, Severity.DAMAGE, name(guilty));
        StoredArchive archive = nodes.chain().archive(nodes.layer());
        if (guilty.equals(archive)) {
            innocent.remove(archive);
            return true;
        } else {
            if (obstacles.none(archive)) {
                innocent.add(archive);
            }
            obstacles.add(archive, Severity.DAMAGE, name(guilty));
            return false;
        }
    }

    /// whether an archive was looked at as deep as asked, and nothing is wrong
    private boolean good(StoredArchive archive) {
        return checked.containsKey(archive) && obstacles.none(archive);
    }

    private Report.PointInTime verdict(Point point) {
        State state = point.state();
        if (history.path(state, this::good).isPresent()) {
            return new Report.PointInTime(point, Severity.NOTE, List.of());
        }
        List<StoredArchive> path = history.path(state, any -> true).orElse(point.archives());
        Severity worst = obstacles.worst(path);
        return new Report.PointInTime(point, worst == Severity.NOTE ? Severity.UNKNOWN : worst, obstacles.files(path));
    }

    private void count(Path file, long bytes) {
        files.add(file);
        read += bytes;
    }

    private static String name(StoredArchive archive) {
        return archive.data().getFileName().toString();
    }
}
