package varve.verify.audit;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Inventory;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.Proofs;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.verify.audit.VolumeAudit.Chain;
import varve.verify.audit.VolumeAudit.Holding;
import varve.verify.audit.VolumeAudit.PointAudit;

/// Reads receipts and inventories, and makes of them what is known of each point in time. No data file is read.
public final class Auditor {

    private final List<Vault> vaults;
    private final Instant now;
    private final Consumer<String> warnings;

    /// @param vaults at hand; of others their inventories tell
    /// @param now receipts of a later time do not count
    public Auditor(List<Vault> vaults, Instant now, Consumer<String> warnings) {
        this.vaults = List.copyOf(vaults);
        this.now = now;
        this.warnings = warnings;
    }

    /// @param names of volumes; none stands for all
    /// @throws NotFoundException if there is no such volume in any of the vaults
    public List<VolumeAudit> audit(Collection<String> names) throws IOException {
        Catalogue catalogue = Catalogue.open(vaults, warnings);
        Set<String> all = new TreeSet<>(names);
        if (names.isEmpty()) {
            for (Vault vault : vaults) {
                all.addAll(vault.volumes());
            }
        }
        List<VolumeAudit> audits = new ArrayList<>();
        for (String name : all) {
            audits.add(audit(name, catalogue));
        }
        return audits;
    }

    private VolumeAudit audit(String name, Catalogue catalogue) throws IOException {
        List<Volume> volumes = new ArrayList<>();
        for (Vault vault : vaults) {
            volumes.add(vault.volume(name));
        }
        Volume.Content content = Volume.together(volumes);
        Map<UUID, Map<Inventory.DataFile, Proofs.Last>> held = new LinkedHashMap<>();
        List<Incident> incidents = new ArrayList<>();
        List<Chain> chains = new ArrayList<>();
        for (Vault vault : vaults) {
            Volume volume = vault.volume(name);
            if (volume.exists()) {
                Receipts.Log log = new Receipts(volume).read();
                incidents.addAll(Incident.of(vault.id(), catalogue.name(vault.id()), log.receipts()));
                chains.add(chain(vault, catalogue, log));
                held.put(vault.id(), atHand(volume, content.history(), Proofs.of(vault.id(), log.receipts(), now)));
            }
        }
        catalogue.stocks(name).forEach((vault, stock) -> {
            if (catalogue.atHand(vault).isEmpty()) {
                held.put(vault, away(stock));
            }
        });
        Copies copies = catalogue.copies(name, content.history().archives());
        List<PointAudit> points = new ArrayList<>();
        for (Point point : content.history().points()) {
            points.add(new PointAudit(point, copies.of(point.state()), holdings(point, content.history(), held, catalogue)));
        }
        incidents.sort(Comparator.comparing(Incident::found));
        return new VolumeAudit(name, points, incidents, chains, content.problems().stream().map(Volume.Problem::cause).toList());
    }

    private static Chain chain(Vault vault, Catalogue catalogue, Receipts.Log log) {
        List<Receipt> receipts = log.receipts();
        return new Chain(vault.id(), catalogue.name(vault.id()), receipts.size(),
                receipts.stream().findFirst().map(receipt -> receipt.act().finished()),
                receipts.isEmpty() ? Optional.empty() : Optional.of(receipts.getLast().act().finished()), log.problems());
    }

    private static Map<Inventory.DataFile, Proofs.Last> atHand(Volume volume, History history, Proofs proofs) {
        Map<Inventory.DataFile, Proofs.Last> held = new HashMap<>();
        for (StoredArchive archive : history.archives()) {
            if (new StoredArchive(volume.folder(), archive.manifest()).dataAtHand()) {
                held.put(Inventory.DataFile.of(archive), proofs.last(archive.manifest()));
            }
        }
        return held;
    }

    private static Map<Inventory.DataFile, Proofs.Last> away(Inventory.Stock stock) {
        Map<Inventory.DataFile, Proofs.Last> held = new HashMap<>();
        for (Inventory.Held file : stock.archives()) {
            boolean good = file.proved();
            boolean damaged = !good && file.proof().isPresent(); // how much of it, an inventory does not say
            held.put(file.file(), new Proofs.Last(
                    file.proof().map(Inventory.Proof::time),
                    file.proof().map(Inventory.Proof::depth).orElse(Depth.STRUCTURE),
                    file.proof().map(Inventory.Proof::evidence).orElse(Evidence.CACHE),
                    good ? file.fileSize() : 0,
                    damaged ? file.fileSize() : 0));
        }
        return held;
    }

    private static List<Holding> holdings(
            Point point, History history, Map<UUID, Map<Inventory.DataFile, Proofs.Last>> held, Catalogue catalogue) {
        List<StoredArchive> anyPath = history.path(point.state(), any -> true).orElse(point.archives());
        List<Holding> holdings = new ArrayList<>();
        held.forEach((vault, files) -> {
            List<StoredArchive> path = history.path(point.state(), archive -> good(files, archive))
                    .or(() -> history.path(point.state(), archive -> files.containsKey(Inventory.DataFile.of(archive))))
                    .orElse(anyPath);
            Set<StoredArchive> here = new HashSet<>(path);
            here.removeIf(archive -> !files.containsKey(Inventory.DataFile.of(archive)));
            if (!here.isEmpty()) {
                holdings.add(holding(vault, path, here, files, catalogue));
            }
        });
        return holdings;
    }

    private static boolean good(Map<Inventory.DataFile, Proofs.Last> files, StoredArchive archive) {
        Proofs.Last last = files.get(Inventory.DataFile.of(archive));
        return last != null && last.good();
    }

    private static Holding holding(
            UUID vault, List<StoredArchive> path, Set<StoredArchive> here, Map<Inventory.DataFile, Proofs.Last> files, Catalogue catalogue) {
        Optional<Instant> oldest = Optional.of(Instant.MAX);
        Depth depth = Depth.SOURCE;
        Evidence evidence = Evidence.MEDIUM;
        long unproved = 0;
        long damaged = 0;
        for (StoredArchive archive : here) {
            Proofs.Last last = files.get(Inventory.DataFile.of(archive));
            if (oldest.isPresent()) {
                oldest = last.time().map(oldest.get()::compareTo).filter(order -> order <= 0).isPresent() ? oldest : last.time();
            }
            depth = last.depth().includes(depth) ? depth : last.depth();
            evidence = last.evidence() == Evidence.CACHE ? Evidence.CACHE : evidence;
            damaged += last.damaged();
            unproved += archive.manifest().file().size() - last.proved() - last.damaged();
        }
        return new Holding(vault, catalogue.name(vault), catalogue.atHand(vault).isPresent(), catalogue.standing(vault).counts(), here.size(),
                path.size() - here.size(), oldest, depth, evidence, unproved, damaged);
    }
}
