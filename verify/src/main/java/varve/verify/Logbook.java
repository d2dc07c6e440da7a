package varve.verify;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// What was found of one volume in one vault since its last receipt. It is written down in steps, so that a run that is killed has
/// proved what it has proved.
final class Logbook {

    private final Vault vault;
    private final Volume volume;
    private final String about;
    private final Depth depth;
    private final InstantSource clock;
    private final Verifier.Ledger ledger;
    private final List<Finding> all = new ArrayList<>();
    private final Map<Entry, Found> entries = new LinkedHashMap<>();
    private Findings findings = new Findings();
    private Optional<Receipt.Draft> draft = Optional.empty();
    private Evidence evidence = Evidence.MEDIUM;

    private record Entry(StoredArchive archive, Depth reached) {}

    private record Found(Ranges good, Ranges bad) {}

    Logbook(Vault vault, Volume volume, String about, Depth depth, InstantSource clock, Verifier.Ledger ledger) {
        this.vault = vault;
        this.volume = volume;
        this.about = about;
        this.depth = depth;
        this.clock = clock;
        this.ledger = ledger;
    }

    /// Begins a step, unless one has begun: what is proved from now on is of this time or later.
    void begin() {
        if (draft.isEmpty()) {
            draft = Optional.of(Receipt.begin(Receipt.What.VERIFY, vault, volume.name(), about, clock));
            evidence = Evidence.MEDIUM;
        }
    }

    /// {@return where to tell what was found in this step}
    Findings findings() {
        return findings;
    }

    /// @param from where the bytes came from
    void take(ChainProof.Outcome outcome, Ranges good, Ranges bad, Evidence from) {
        evidence = from == Evidence.CACHE ? from : evidence;
        entries.merge(new Entry(outcome.archive(), outcome.depth()), new Found(good, bad),
                (old, more) -> new Found(old.good.plus(more.good), old.bad.plus(more.bad)));
    }

    /// Ends the step: adds a receipt of it.
    void write() {
        List<Finding> news = findings.list();
        findings = new Findings();
        all.addAll(news);
        draft.ifPresent(begun -> ledger.keep(volume, act(begun, news)));
        draft = Optional.empty();
        entries.clear();
    }

    private Receipt.Act act(Receipt.Draft begun, List<Finding> news) {
        List<String> texts = Report.texts(news);
        boolean damaged = news.stream().map(Finding::severity).anyMatch(severity -> severity == Severity.DAMAGE || severity == Severity.SPARE) || entries.values().stream().anyMatch(found -> !found.bad.isEmpty());
        List<Receipt.Proof> proofs = new ArrayList<>();
        entries.forEach((entry, found) -> proofs.add(Receipt.Proof.of(entry.archive.manifest(), entry.reached,
                found.bad.isEmpty() ? Receipt.Result.OK : Receipt.Result.DAMAGED, found.good, found.bad)));
        return begun.act(depth, evidence, damaged ? Receipt.Result.DAMAGED : Receipt.Result.OK, proofs, texts,
                List.of("all but the ranges that are listed", depth.open(), "who wrote the manifests (not signed)"));
    }

    /// Ends the step as if nothing had been done in it.
    void forget() {
        findings = new Findings();
        draft = Optional.empty();
        entries.clear();
    }

    /// {@return what was found so far}
    List<Finding> all() {
        return List.copyOf(all);
    }
}
