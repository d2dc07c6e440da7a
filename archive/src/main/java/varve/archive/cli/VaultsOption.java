package varve.archive.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;
import varve.archive.vault.Catalogue;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;
import varve.archive.vault.Whereabouts;

/// The vaults that a command works on: `--vault DIR`, once or more, or what the environment says.
public final class VaultsOption {
    @Option(names = "--vault", paramLabel = "DIR", defaultValue = "${env:VARVE_VAULT}",
            description = "A vault at hand: a folder, LABEL=DIR if it has to be the one that is called so, or, after the first, the LABEL of one that is where it "
                    + "was last seen. May be given several times. Default: VARVE_VAULT in the environment.")
    private List<String> names = new ArrayList<>();

    /// {@return whether any vault was named}
    boolean named() {
        return names.stream().anyMatch(name -> !name.isEmpty());
    }

    /// Opens them: each may be named by what those before it know.
    ///
    /// @throws UsageException if no vault was named
    public List<Vault> open(Consumer<String> warnings) throws IOException {
        List<Vault> vaults = new ArrayList<>();
        for (String name : names) {
            if (!name.isEmpty()) {
                VaultName parsed = VaultName.parse(name);
                add(vaults, vaults.isEmpty() ? parsed.open() : parsed.open(Catalogue.open(vaults, warnings)));
            }
        }
        if (vaults.isEmpty()) {
            throw new UsageException("which vault? give --vault DIR, or set VARVE_VAULT");
        }
        return vaults;
    }

    private static void add(List<Vault> vaults, Vault vault) {
        if (vaults.stream().noneMatch(known -> known.id().equals(vault.id()))) {
            vaults.add(vault);
        }
    }

    /// Opens the vaults that it takes to restore a point in time: those that are named, if need be those that are where they were
    /// last seen, and, if there is a person to ask, those that are brought. If that is not enough, whoever reads will say so.
    ///
    /// @throws UsageException if no vault was named
    public List<Vault> open(PointName point, Stdio stdio, Consumer<String> warnings) throws IOException {
        List<Vault> vaults = new ArrayList<>(open(warnings));
        if (FoundPoint.find(vaults, point).restorable()) {
            return vaults;
        }
        while (true) {
            Catalogue catalogue = Catalogue.around(vaults, warnings);
            FoundPoint found = FoundPoint.find(catalogue.atHand(), point);
            Whereabouts where = Whereabouts.of(catalogue, point.volume(), found.history(), found.point());
            for (Whereabouts.Leg leg : where.legs()) {
                catalogue.atHand(leg.vault()).ifPresent(vault -> add(vaults, vault));
            }
            if (where.away().isEmpty() || !stdio.person() || !bring(where.away(), catalogue, vaults, stdio)) {
                return vaults;
            }
        }
    }

    /// {@return whether the person went on}
    private static boolean bring(List<UUID> away, Catalogue catalogue, List<Vault> vaults, Stdio stdio) throws IOException {
        stdio.err().println("needed: " + away.stream().map(vault -> "vault " + catalogue.describe(vault)).collect(Collectors.joining(", "))
                + (vaults.size() > 1 || away.size() > 1 ? "; all disks have to be mounted at the same time" : ""));
        Optional<String> answer = stdio.ask("Mount " + catalogue.describe(away.getFirst()) + " and type its folder (nothing to give up): ");
        if (answer.isEmpty() || answer.get().isEmpty()) {
            return false;
        }
        try {
            Vault brought = Vault.open(Path.of(answer.get()));
            if (!away.contains(brought.id())) {
                stdio.err().println("that is vault " + catalogue.describe(brought.id()) + ", which is not needed");
            } else {
                add(vaults, brought);
            }
        } catch (IOException e) {
            stdio.err().println(Main.message(e));
        }
        for (Vault vault : List.copyOf(vaults)) {
            try {
                vault.check();
            } catch (NotFoundException e) {
                stdio.err().println(Main.message(e));
                vaults.remove(vault);
            }
        }
        return !vaults.isEmpty();
    }
}
