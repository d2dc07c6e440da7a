package varve.verify;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import varve.archive.hash.Hash;
import varve.archive.hash.Hashing;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Depth;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.verify.work.Watcher;

/// Verifies volumes, or points of them, in one or more vaults.
///
/// Each vault is proved by its own files. Takes no lock and writes nothing: an archive that is being written is not there yet.
/// What was proved is told to a [Ledger].
public final class Verifier {

    private final List<Vault> vaults;
    private final VerifyOptions options;
    private final InstantSource clock;
    private final Watcher watcher;
    private final Ledger ledger;
    private final Consumer<String> warnings;

    /// Keeps receipts.
    @FunctionalInterface
    public interface Ledger {
        /// Keeps none.
        Ledger NONE = (volume, act) -> {};

        void keep(Volume volume, Receipt.Act act);
    }

    /// @param vaults at hand, all of which are proved
    /// @param warnings get what the user should know although it is no error
    public Verifier(
            List<Vault> vaults, VerifyOptions options, InstantSource clock, Watcher watcher, Ledger ledger, Consumer<String> warnings) {
        this.vaults = List.copyOf(vaults);
        this.options = options;
        this.clock = clock;
        this.watcher = watcher;
        this.ledger = ledger;
        this.warnings = warnings;
    }

    /// Looks at everything that names stand for. Whatever it finds is in the reports: one for each volume in each vault.
    ///
    /// @param names none stands for all volumes
    /// @throws NotFoundException if there is no such volume or point in any of the vaults
    /// @throws IOException if a vault's folder cannot be listed
    public List<Report> verify(List<PointName> names) throws IOException {
        if (options.depth().includes(Depth.STORED)) {
            Hashing.warmUp();
        }
        Catalogue catalogue = Catalogue.open(vaults, warnings);
        Set<Hash> provedContent = new HashSet<>();
        List<Report> reports = new ArrayList<>();
        for (Map.Entry<String, List<PointName>> volume : volumes(names).entrySet()) {
            List<Vault> having = new ArrayList<>();
            for (Vault vault : vaults) {
                if (vault.volume(volume.getKey()).exists()) {
                    having.add(vault);
                }
            }
            if (having.isEmpty()) {
                vaults.getFirst().volume(volume.getKey()).read(); // which says so
            }
            for (Vault vault : having) {
                reports.add(verify(vault, having, volume.getKey(), volume.getValue(), catalogue, provedContent));
            }
        }
        return reports;
    }

    private Map<String, List<PointName>> volumes(List<PointName> names) throws IOException {
        Map<String, List<PointName>> volumes = new LinkedHashMap<>();
        for (PointName name : names) {
            volumes.computeIfAbsent(name.volume(), volume -> new ArrayList<>()).add(name);
        }
        if (names.isEmpty()) {
            for (Vault vault : vaults) {
                for (String volume : vault.volumes()) {
                    volumes.putIfAbsent(volume, List.of(PointName.parse(volume)));
                }
            }
        }
        return volumes;
    }

    private Report verify(
            Vault vault, List<Vault> all, String volume, List<PointName> names, Catalogue catalogue, Set<Hash> provedContent)
            throws IOException {
        Receipt.Draft receipt = Receipt.begin(Receipt.What.VERIFY, vault, volume, about(names), clock);
        Coldness coldness = Coldness.of(vault.volume(volume), options, warnings);
        Holdings holdings = Holdings.of(vault, all, volume, catalogue);
        Report report = new Verification(holdings, names, options, coldness, provedContent, watcher).run(clock);
        ledger.keep(holdings.volume(), report.act(receipt));
        return report;
    }

    private String about(List<PointName> names) {
        String asked = String.join(" ", names.stream().map(PointName::toString).toList());
        return asked + options.against().map(against -> " against " + against.path()).orElse("");
    }
}
