package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.Chain;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.hash.Hashing;
import varve.archive.seal.WrongKeyException;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Depth;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.verify.work.Watcher;

/// Verifies in turns: what was not looked at for the longest time comes first, until a budget is used up, and the next run goes on
/// from there.
///
/// Where it was is nowhere kept: receipts say which bytes were proved when ([Coverage]), so the order of the work follows from them
/// alone. What was proved is written down in steps. Who is killed loses the last of them, and nothing that was written is less
/// true for it.
///
/// A range whose proof fails is looked at again when its turn comes, not at once: else damage that nobody mends would use up every budget.
///
/// Takes no lock. Two at a time prove the same twice, and no more.
public final class Patrol {

    /// how receipts of patrols begin to say what was asked for
    static final String ABOUT = "the oldest first";

    /// most bytes that are proved between two looks at the budget
    private static final long SLICE = 64L << 20;

    private static final long GROUP = 1L << FileTree.GROUP_LOG;

    private final List<Vault> vaults;
    private final PatrolOptions options;
    private final InstantSource clock;
    private final Watcher watcher;
    private final Verifier.Ledger ledger;
    private final Consumer<String> warnings;

    private final long start = System.nanoTime();
    private final List<Beat> beats = new ArrayList<>();
    private final Map<StoredArchive, Ranges> done = new HashMap<>();
    private long written = start; // when the last step was
    private long looked;

    /// One volume in one vault, while it is patrolled.
    private record Beat(Holdings holdings, List<Receipt> receipts, Coverage coverage, Logbook logbook, Map<StoredArchive, ArchiveCheck.Usable> checked) {

        List<StoredArchive> here() {
            return holdings.archives().stream().filter(holdings::here).toList();
        }
    }

    /// Bytes of one file that are due.
    private record Work(Beat beat, Coverage.Stretch stretch) {}

    /// @param vaults at hand, all of which are patrolled
    /// @param warnings get what the user should know although it is no error
    public Patrol(
            List<Vault> vaults, PatrolOptions options, InstantSource clock, Watcher watcher, Verifier.Ledger ledger, Consumer<String> warnings) {
        this.vaults = List.copyOf(vaults);
        this.options = options;
        this.clock = clock;
        this.watcher = watcher;
        this.ledger = ledger;
        this.warnings = warnings;
    }

    /// Goes round. To be called once.
    ///
    /// @param volumes none stands for all
    /// @throws varve.archive.vault.NotFoundException if there is no such volume in any of the vaults
    /// @throws IOException if a vault or its receipts cannot be read
    public PatrolReport run(Collection<String> volumes) throws IOException {
        Instant started = clock.instant();
        Hashing.warmUp();
        Catalogue catalogue = Catalogue.open(vaults, warnings);
        for (String volume : volumes.isEmpty() ? allVolumes() : new TreeSet<>(volumes)) {
            open(volume, catalogue, started);
        }
        boolean spent;
        try {
            List<Work> due = due(started.minus(options.maxAge().orElse(Duration.ZERO)));
            long bytes = due.stream().mapToLong(work -> work.stretch.size()).sum();
            watcher.begin("verify, the oldest first", Math.min(bytes, options.budget().bytes().orElse(Long.MAX_VALUE)));
            spent = !prove(due);
        } finally {
            write();
        }
        return report(started, spent);
    }

    private Collection<String> allVolumes() throws IOException {
        TreeSet<String> names = new TreeSet<>();
        for (Vault vault : vaults) {
            names.addAll(vault.volumes());
        }
        return names;
    }

    private void open(String name, Catalogue catalogue, Instant now) throws IOException {
        List<Vault> having = new ArrayList<>();
        for (Vault vault : vaults) {
            if (vault.volume(name).exists()) {
                having.add(vault);
            }
        }
        if (having.isEmpty()) {
            vaults.getFirst().volume(name).read(); // which says so
        }
        for (Vault vault : having) {
            Holdings holdings = Holdings.of(vault, having, name, catalogue);
            List<Receipt> receipts = new Receipts(holdings.volume()).read().receipts();
            Logbook logbook = new Logbook(vault, holdings.volume(), about(), options.proof().depth(), clock, ledger);
            Beat beat = new Beat(holdings, receipts, coverage(holdings, receipts, now), logbook, new HashMap<>());
            beats.add(beat);
            FolderCheck.run(holdings.volume(), holdings.own(), logbook.findings());
            checkAtOnce(beat);
        }
    }

    private Coverage coverage(Holdings holdings, List<Receipt> receipts, Instant now) {
        List<StoredArchive> here = holdings.archives().stream().filter(holdings::here).toList();
        return Coverage.of(holdings.vault().id(), here, holdings.history(), receipts, now, options.proof().depth());
    }

    /// tells of what no range of bytes would: nothing may drop out of the coverage unseen
    private static void checkAtOnce(Beat beat) throws IOException {
        Presence presence = Presence.of(beat.holdings.volume(), beat.holdings.vault().id());
        Set<State> reached = beat.holdings.history().reached(any -> true);
        Findings findings = beat.logbook.findings();
        for (StoredArchive archive : beat.holdings.own().history().archives()) {
            String data = archive.data().getFileName().toString();
            Manifest manifest = archive.manifest();
            if (!archive.dataAtHand() && presence.of(manifest.baseName()).orElse(false)) {
                findings.add(new Finding.MissingFile(data, Severity.DAMAGE, data + ": missing, and no receipt says that it was removed"));
            }
            if (!manifest.parent().equals(State.NOTHING) && !reached.contains(manifest.parent())) {
                findings.add(new Finding.BrokenChain(data, data + ": no archive in this vault leads to what it applies to, " + manifest.parent()));
            }
            if (manifest.file().size() == 0) {
                ArchiveCheck.run(archive, false, false, findings, Index::close);
            }
        }
    }

    private String about() {
        String cost = options.budget().time().map(time -> ", for " + time.toSeconds() + " s").orElse("")
                + options.budget().bytes().stream().mapToObj(bytes -> ", " + bytes + " bytes").findFirst().orElse("");
        return ABOUT + cost + options.maxAge().map(age -> ", what is older than " + age.toSeconds() + " s").orElse("");
    }

    /// {@return what was not looked at since a time, in the order in which it is to be looked at}
    private List<Work> due(Instant since) {
        Optional<Instant> limit = options.maxAge().map(age -> since);
        Comparator<Work> order = Comparator.comparing(work -> work.stretch.looked().orElse(Instant.MIN));
        return beats.stream()
                .flatMap(beat -> beat.coverage.due(limit).stream().map(stretch -> new Work(beat, stretch)))
                .sorted(order) // and what is equally old as vaults, volumes and archives come
                .toList();
    }

    /// {@return whether all was done before the budget was used up}
    private boolean prove(List<Work> due) throws IOException {
        try (Opened opened = new Opened()) {
            for (Work work : due) {
                StoredArchive archive = work.stretch.archive();
                for (Ranges rest = rest(work); !rest.isEmpty() && archive.dataAtHand(); rest = rest(work)) { // else it was removed meanwhile
                    long left = left();
                    if (left <= 0) {
                        return false;
                    }
                    Ranges.Range first = rest.list().getFirst();
                    long end = Math.min(first.to(), Strand.groupEnd(first.from() + Math.min(SLICE, left)));
                    prove(opened.at(work), new Ranges.Range(first.from(), end));
                    if (System.nanoTime() - written >= options.step().toNanos()) {
                        write();
                    }
                }
            }
        }
        return true;
    }

    /// {@return what is not done yet: whole groups, since a stretch may end anywhere, as frames do}
    private Ranges rest(Work work) {
        Ranges.Range range = work.stretch.range();
        long end = Math.min(work.stretch.archive().manifest().file().size(), Strand.groupEnd(range.to()));
        return Ranges.of(range.from() / GROUP * GROUP, end).minus(done.getOrDefault(work.stretch.archive(), Ranges.NONE));
    }

    /// {@return bytes that may still be proved}
    private long left() {
        boolean late = options.budget().time().filter(time -> System.nanoTime() - start >= time.toNanos()).isPresent();
        return late ? 0 : options.budget().bytes().orElse(Long.MAX_VALUE) - looked;
    }

    private void prove(Opened opened, Ranges.Range part) throws IOException {
        Work work = opened.work;
        StoredArchive archive = work.stretch.archive();
        Logbook logbook = work.beat.logbook;
        logbook.begin();
        Coldness coldness = Coldness.of(archive.data(), part, options.proof(), warnings);
        ChainProof proof = new ChainProof(opened.chain, false, options.proof(), logbook.findings(), watcher)
                .add(archive, opened.chain == null ? Strand.NO_CONTENT : opened.chain.length() - 1, part.from(), part.to());
        ChainProof.Outcome outcome = proof.run((of, guilty) -> {}).getFirst();
        if (!outcome.opened() || !outcome.damaged().isEmpty()) {
            checkThere(work.beat);
        }
        logbook.take(outcome, outcome.proved(), outcome.damaged(), coldness.evidence());
        Ranges seen = Ranges.of(part.from(), part.to()).plus(outcome.proved()).plus(outcome.damaged());
        done.merge(archive, seen, Ranges::plus);
        looked += seen.size();
    }

    /// a disk that was pulled is no damage
    private static void checkThere(Beat beat) throws IOException {
        try {
            beat.holdings.vault().check();
        } catch (IOException e) {
            beat.logbook.forget();
            throw e;
        }
    }

    private void write() {
        beats.forEach(beat -> beat.logbook.write());
        written = System.nanoTime();
    }

    /// The chain of the archive at hand, which stays open as long as it is the same.
    private final class Opened implements AutoCloseable {

        @Nullable Work work;
        @Nullable Chain chain;

        Opened at(Work next) throws IOException {
            if (work == null || !work.stretch.archive().equals(next.stretch.archive()) || work.beat != next.beat) {
                close();
                work = next;
                chain = open(next);
            }
            work = next;
            return this;
        }

        /// {@return the chain that ends with the archive; null if only the hashes of its file can be looked at}
        private @Nullable Chain open(Work next) throws WrongKeyException {
            Beat beat = next.beat;
            StoredArchive archive = next.stretch.archive();
            if (next.stretch.depth() == Depth.CONTENT) {
                Verification.requireKey(archive);
            }
            ArchiveCheck.Usable usable = beat.checked.computeIfAbsent(archive,
                    any -> ArchiveCheck.run(any, beat.holdings.elsewhere(any), next.stretch.depth() == Depth.CONTENT, beat.logbook.findings(), Index::close));
            if (next.stretch.depth() != Depth.CONTENT || !usable.tables() || !usable.data() || archive.manifest().unchanged()) {
                return null;
            }
            State parent = archive.manifest().parent();
            Optional<List<StoredArchive>> below =
                    parent.equals(State.NOTHING) ? Optional.of(List.of()) : beat.holdings.history().path(parent, StoredArchive::dataAtHand);
            if (below.isEmpty()) {
                return null;
            }
            try {
                return Chain.open(Stream.concat(below.get().stream(), Stream.of(archive)).toList());
            } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
                String file = archive.data().getFileName().toString();
                beat.logbook.findings().add(file, e, text -> new Finding.WrongRoot(file, Findings.rule(e), text));
                return null;
            }
        }

        @Override
        public void close() throws IOException {
            if (chain != null) {
                chain.close();
                chain = null;
            }
        }
    }

    private PatrolReport report(Instant started, boolean spent) throws IOException {
        Instant now = clock.instant();
        List<PatrolReport.Beat> found = new ArrayList<>();
        List<Receipt.Act> earlier = new ArrayList<>();
        for (Beat beat : beats) {
            beat.receipts.stream()
                    .map(Receipt::act)
                    .filter(act -> act.what() == Receipt.What.VERIFY && act.about().startsWith(ABOUT))
                    .forEach(earlier::add);
            List<Receipt> receipts = new Receipts(beat.holdings.volume()).read().receipts();
            found.add(new PatrolReport.Beat(beat.holdings.vault(), beat.holdings.volume().name(), beat.here().size(),
                    coverage(beat.holdings, receipts, now), beat.logbook.all()));
        }
        Coverage coverage = found.stream().map(PatrolReport.Beat::coverage).reduce(Coverage.NONE, Coverage::plus);
        Forecast forecast = Forecast.of(earlier, started, looked, now, remaining(coverage, now), coverage.size());
        return new PatrolReport(options, started, Duration.ofNanos(System.nanoTime() - start), looked, spent, found, forecast);
    }

    /// {@return bytes until everything is proved: within the age that is wanted, or at least once, or once more}
    private long remaining(Coverage coverage, Instant now) {
        if (options.maxAge().isPresent()) {
            return coverage.due(options.maxAge().map(now::minus)).stream().mapToLong(Coverage.Stretch::size).sum();
        }
        return coverage.never() > 0 ? coverage.never() : Math.max(0, coverage.size() - looked);
    }
}
