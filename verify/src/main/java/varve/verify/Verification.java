package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.vault.Head;
import varve.archive.seal.WrongKeyException;
import varve.archive.vault.Depth;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.verify.source.Comparison;
import varve.verify.source.Differences;
import varve.verify.work.Watcher;

/// One verification at work: of a volume, or some points of it, in one vault.
///
/// First every archive that is asked for by itself ([ArchiveCheck]). Then along paths of archives that share a chain, with the tables that
/// were found good, so that these are opened once and each file is read once: do the hashes combine to the roots, and, as deep as asked, what does
/// each data file hold ([ChainProof])? Where the hashes of the files are all that is asked for, they are read meanwhile ([ReadAhead]).
///
/// Of a whole volume every node of every archive is proved, as of the archive's own point in time; of several points, the same of
/// the archives on the paths to them. Of one point in time those nodes are proved that no newer archive on its path replaces: together
/// they are the device.
final class Verification {

    /// tables that are kept open at most: each is a mapping, of which a process can have some 65,000
    private static final int MOST_TABLES = 4096;

    private final Holdings holdings;
    private final History history;
    private final List<PointName> names;
    private final Depth depth;
    private final VerifyOptions options;
    private final Coldness coldness;
    private final Set<Hash> provedContent;
    private final Watcher watcher;

    private final Findings findings = new Findings();
    private final Obstacles obstacles = new Obstacles();
    private final Map<StoredArchive, ArchiveCheck.Usable> checked = new LinkedHashMap<>();
    private final Set<StoredArchive> done = new LinkedHashSet<>();
    private final Set<StoredArchive> innocent = new LinkedHashSet<>(); // that could not be proved for the sake of others
    private final Map<StoredArchive, Index> tables = new HashMap<>(); // of those that were checked, open
    private @Nullable ReadAhead ahead;
    private final Set<Path> files = new LinkedHashSet<>();
    private final Map<StoredArchive, Receipt.Proof> proofs = new LinkedHashMap<>();
    private long read;
    private long proved;
    private long zeros;
    private Optional<Differences> source = Optional.empty();

    /// @param names of the volume, or of points of it
    /// @param coldness where bytes come from
    /// @param provedContent hashes of data files whose content was proved in this run: in another vault it is the same
    Verification(
            Holdings holdings,
            List<PointName> names,
            VerifyOptions options,
            Coldness coldness,
            Set<Hash> provedContent,
            Watcher watcher) {
        this.holdings = holdings;
        this.history = holdings.history();
        this.names = names;
        this.depth = options.depth();
        this.options = options;
        this.coldness = coldness;
        this.provedContent = provedContent;
        this.watcher = watcher;
    }

    Report run(InstantSource clock) throws IOException {
        Instant started = clock.instant();
        long start = System.nanoTime();
        List<Point> points = points();
        try {
            prove(points);
        } finally {
            close();
        }
        return new Report(
                holdings.vault().folder(),
                holdings.vault().id(),
                holdings.volume().name(),
                whole() ? List.of() : names.stream().map(name -> name.point().orElse("latest")).toList(),
                depth,
                coldness.evidence(),
                started,
                Duration.ofNanos(System.nanoTime() - start),
                files.size(),
                read,
                proved,
                zeros,
                points.stream().map(this::verdict).toList(),
                FolderCheck.unreadable(holdings.own()),
                holdings.points().size() - points.size(),
                findings.list(),
                List.copyOf(proofs.values()),
                options.against().map(VerifyOptions.Against::path),
                source);
    }

    private void close() {
        if (ahead != null) {
            ahead.close();
        }
        tables.values().forEach(Index::close);
        tables.clear();
    }

    private void prove(List<Point> points) throws IOException {
        List<StoredArchive> all = holdings.archives();
        if (whole()) {
            begin(all);
        }
        FolderCheck.run(holdings.volume(), holdings.own(), findings);
        holdings.setBack().ifPresent(why -> FolderCheck.untrusted(Head.FILE, Severity.DAMAGE, why, findings));
        for (StoredArchive archive : holdings.own().history().archives()) {
            count(archive.manifestFile(), archive.manifest().encode().length);
        }
        if (whole()) {
            proveAll(all);
        } else if (points.size() > 1) {
            Collection<StoredArchive> scope = onPaths(points);
            begin(scope);
            proveAll(scope);
        } else {
            for (Point point : points) {
                provePoint(point);
            }
        }
        if (options.against().isPresent() && points.size() == 1) {
            compare(points.getFirst(), options.against().get());
        }
    }

    private void compare(Point point, VerifyOptions.Against against) throws IOException {
        Optional<List<StoredArchive>> path = path(point.state());
        try (Chain chain = path.isPresent() ? Chain.open(path.get(), this::opened) : null) {
            if (chain != null) {
                source = Optional.of(new Comparison(chain, options.threads(), watcher)
                        .with(against.path(), against.name(), point.manifest().source()));
            }
        } catch (CorruptException e) {
            // its tables are no good, which was told
        }
    }

    /// whether the volume as a whole is asked for
    private boolean whole() {
        return names.stream().anyMatch(name -> name.point().isEmpty());
    }

    private List<Point> points() throws NotFoundException {
        boolean problems = !holdings.own().problems().isEmpty();
        if (whole()) {
            if (holdings.own().history().archives().isEmpty() && !problems) {
                throw new NotFoundException("volume \"" + holdings.volume().name() + "\" has no points in time");
            }
            return holdings.points();
        }
        Set<Point> points = new LinkedHashSet<>();
        for (PointName name : names) {
            try {
                long number = name.in(holdings.own().history()).manifest().sequence();
                holdings.points().stream().filter(point -> point.manifest().sequence() == number).forEach(points::add);
            } catch (NotFoundException e) {
                if (!problems) { // it may be one of those whose manifests are damaged
                    throw e;
                }
            }
        }
        return List.copyOf(points);
    }

    private Collection<StoredArchive> onPaths(List<Point> points) {
        Set<StoredArchive> archives = new LinkedHashSet<>();
        for (Point point : points) {
            Optional<List<StoredArchive>> path = path(point.state());
            if (path.isEmpty() && history.path(point.state(), any -> true).isEmpty()) {
                broken(point.archive());
            }
            archives.addAll(path.or(() -> history.path(point.state(), any -> true)).orElse(point.archives()));
        }
        return history.archives().stream().filter(archives::contains).toList();
    }

    /// so that nothing is called damaged only because it cannot be opened
    ///
    /// @throws WrongKeyException if content is to be proved that is sealed, and no key at hand opens it
    private void requireKeys(Collection<StoredArchive> scope) throws WrongKeyException {
        if (depth.includes(Depth.CONTENT)) {
            for (StoredArchive archive : scope) {
                requireKey(archive);
            }
        }
    }

    /// @throws WrongKeyException if it is sealed, and no key at hand opens it
    static void requireKey(StoredArchive archive) throws WrongKeyException {
        if (archive.manifest().seal().isPresent() && archive.dataAtHand()) {
            try {
                archive.openData().close();
            } catch (WrongKeyException e) {
                throw new WrongKeyException(e.getMessage() + "; --depth stored needs none");
            } catch (IOException e) {
                // what is wrong with it will be found
            }
        }
    }

    private void proveAll(Collection<StoredArchive> scope) throws IOException {
        requireKeys(scope);
        scope.forEach(this::check);
        // the newest first: on the path to it lie most of the others
        for (StoredArchive archive : List.copyOf(scope).reversed()) {
            if (!done.contains(archive)) {
                Optional<List<StoredArchive>> path = pathThrough(archive);
                if (path.isPresent()) {
                    prove(path.get(), false);
                } else {
                    proveFile(archive);
                }
            }
        }
        tryOtherPaths(scope);
    }

    /// Deltas that stand on damage get another chance, if another path to what they apply to was found good meanwhile.
    private void tryOtherPaths(Collection<StoredArchive> scope) throws IOException {
        for (StoredArchive archive : scope) {
            Optional<List<StoredArchive>> below =
                    innocent.contains(archive) ? history.path(archive.manifest().parent(), this::good) : Optional.empty();
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
        requireKeys(all);
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
            proveFile(archive);
        }
    }

    private ArchiveCheck.Usable check(StoredArchive archive) {
        ArchiveCheck.Usable known = checked.get(archive);
        if (known != null) {
            return known;
        }
        // what lies in other vaults is told by their reports
        Findings told = holdings.ours(archive) ? findings : new Findings();
        ArchiveCheck.Usable usable = ArchiveCheck.run(archive, holdings.elsewhere(archive), depth.includes(Depth.CONTENT), told, index -> keep(archive, index));
        checked.put(archive, usable);
        if (usable.verdict() != Severity.NOTE) {
            obstacles.add(archive, usable.verdict(), name(archive));
        }
        if (!holdings.ours(archive)) {
            return usable;
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

    /// keeps tables open that were found good, for the chains that they are in
    private void keep(StoredArchive archive, Index index) {
        if (tables.size() < MOST_TABLES) {
            tables.put(archive, index);
        } else {
            index.close();
        }
    }

    private Optional<Index> opened(StoredArchive archive) {
        return Optional.ofNullable(tables.get(archive));
    }

    /// keeps what was found of an archive, for the receipt
    private void keep(StoredArchive archive, Depth reached, Ranges good, Ranges bad) {
        boolean damaged = !bad.isEmpty() || checked.get(archive).verdict() == Severity.DAMAGE;
        Receipt.Result result = damaged ? Receipt.Result.DAMAGED : Receipt.Result.OK;
        proofs.put(archive, Receipt.Proof.of(archive.manifest(), reached, result, good, bad));
    }

    private void begin(Collection<StoredArchive> scope) {
        if (depth.includes(Depth.STORED)) {
            List<StoredArchive> here = scope.stream().filter(holdings::here).toList();
            watcher.begin("verify " + holdings.volume().name(), here.stream().mapToLong(archive -> archive.manifest().file().size()).sum());
            if (depth == Depth.STORED) {
                ahead = new ReadAhead(here.reversed(), options, watcher); // as they will be asked for, more or less
            }
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
        try (Chain chain = open(path)) {
            if (chain == null) { // the others will be looked at on paths of their own
                for (StoredArchive archive : live ? path : List.of(path.getLast())) {
                    proveFile(archive);
                }
                return;
            }
            List<Integer> layers = IntStream.range(0, path.size()).filter(layer -> !done.contains(path.get(layer))).boxed().toList();
            for (int layer : layers) {
                if (layer < path.size() - 1 && !live) {
                    proveRoot(chain, layer);
                }
            }
            done.addAll(path);
            if (depth.includes(Depth.STORED)) {
                sweep(chain, live, layers);
            }
        }
    }

    private @Nullable Chain open(List<StoredArchive> path) {
        try {
            return Chain.open(path, this::opened);
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

    /// proves data files on a path as deep as asked
    private void sweep(Chain chain, boolean live, List<Integer> layers) throws IOException {
        List<Integer> side = new ArrayList<>(); // by side, to be swept together
        for (int layer : layers) {
            StoredArchive archive = chain.archive(layer);
            List<StoredArchive> below = IntStream.rangeClosed(0, layer).mapToObj(chain::archive).toList();
            boolean usable = below.stream().allMatch(this::hasData);
            if (!usable && depth.includes(Depth.CONTENT)) {
                obstacles.files(below).forEach(file -> obstacles.add(archive, obstacles.worst(below), file));
            }
            boolean known = !live && provedContent.contains(archive.manifest().file().hash());
            if (usable && !known && depth.includes(Depth.CONTENT) && holdings.here(archive)) {
                side.add(layer);
            } else {
                proveFile(archive);
            }
            if (side.size() == Sweep.MOST_STRANDS) {
                sweepTogether(chain, live, side);
                side.clear();
            }
        }
        sweepTogether(chain, live, side);
    }

    private void sweepTogether(Chain chain, boolean live, List<Integer> layers) throws IOException {
        if (layers.isEmpty()) {
            return;
        }
        ChainProof proof = new ChainProof(chain, live, options, findings, watcher);
        layers.forEach(layer -> proof.add(chain.archive(layer), layer));
        for (ChainProof.Outcome outcome : proof.run(this::accuse)) {
            take(outcome, outcome.depth(), false);
        }
        proved += proof.proved();
        zeros += proof.zeros();
    }

    /// proves one data file by its hashes alone
    private void proveFile(StoredArchive archive) throws IOException {
        done.add(archive);
        if (!depth.includes(Depth.STORED) || !holdings.here(archive)) {
            return;
        }
        ChainProof.Outcome outcome = outcome(archive);
        boolean known = depth.includes(Depth.CONTENT) && outcome.whole() && provedContent.contains(archive.manifest().file().hash());
        take(outcome, known ? Depth.CONTENT : outcome.depth(), true);
    }

    private ChainProof.Outcome outcome(StoredArchive archive) throws IOException {
        Optional<ReadAhead.Read> read = ahead == null ? Optional.empty() : ahead.take(archive);
        if (read.isEmpty()) {
            return ChainProof.ofFile(archive, options, findings, watcher);
        }
        findings.addAll(read.get().findings());
        return read.get().outcome();
    }

    /// @param only whether the file's hashes are all that was looked at
    private void take(ChainProof.Outcome outcome, Depth reached, boolean only) {
        StoredArchive archive = outcome.archive();
        if (!outcome.opened() || only && !outcome.whole()) {
            obstacles.add(archive, Severity.DAMAGE, name(archive));
        }
        keep(archive, reached, outcome.proved(), outcome.damaged());
        if (outcome.whole() && reached == Depth.CONTENT && outcome.damaged().isEmpty()) {
            provedContent.add(archive.manifest().file().hash());
        }
        count(archive.data(), outcome.read());
        if (outcome.treeRead() > 0) {
            count(archive.tree(), outcome.treeRead());
        }
    }

    private void accuse(StoredArchive archive, StoredArchive guilty) {
        obstacles.add(guilty, Severity.DAMAGE, name(guilty));
        if (guilty.equals(archive)) {
            innocent.remove(archive);
        } else {
            if (obstacles.none(archive)) {
                innocent.add(archive);
            }
            obstacles.add(archive, Severity.DAMAGE, name(guilty));
        }
    }

    /// whether an archive was looked at as deep as asked, and nothing is wrong
    private boolean good(StoredArchive archive) {
        return checked.containsKey(archive) && obstacles.none(archive);
    }

    private Report.PointInTime verdict(Point point) {
        State state = point.state();
        if (history.path(state, this::good).isPresent()) {
            return new Report.PointInTime(point, Severity.NOTE, List.of(), false);
        }
        boolean elsewhere = history.path(state, archive -> good(archive) || holdings.elsewhere(archive) && !archive.dataAtHand()).isPresent();
        List<StoredArchive> path = history.path(state, any -> true).orElse(point.archives());
        Severity worst = obstacles.worst(path);
        return new Report.PointInTime(
                point, worst == Severity.NOTE ? Severity.UNKNOWN : worst, obstacles.files(path), elsewhere);
    }

    private void count(Path file, long bytes) {
        files.add(file);
        read += bytes;
    }

    private static String name(StoredArchive archive) {
        return archive.data().getFileName().toString();
    }
}
