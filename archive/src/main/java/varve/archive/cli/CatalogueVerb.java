package varve.archive.cli;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import varve.archive.vault.Sharing;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;

/// `varve catalogue`: what vaults know of each other.
@Command(
        name = "catalogue",
        description = {
            "Bring together what vaults know of each other.",
            "",
            "The catalogue is plain files in every vault: manifests, hash tables, and of each vault an inventory. varve copy keeps it up to date.",
        },
        subcommands = {CatalogueVerb.Rebuild.class, CatalogueVerb.Merge.class})
public final class CatalogueVerb implements Verb {

    @Override
    public Purpose purpose() {
        return Purpose.KEEP;
    }

    @Override
    public ExitCode run(Stdio stdio) {
        throw new UsageException("what? rebuild or merge");
    }

    /// The vaults that it is about.
    private static final class Places {

        @Parameters(arity = "1..*", paramLabel = "VAULT", description = "Folders of vaults at hand, or LABEL=DIR.")
        private List<String> names = new ArrayList<>();

        @Mixin
        private VaultsOption vaults = new VaultsOption();

        private List<Vault> open(Consumer<String> warnings) throws IOException {
            List<Vault> all = vaults.named() ? new ArrayList<>(vaults.open(warnings)) : new ArrayList<>();
            for (String name : names) {
                Vault vault = VaultName.parse(name).open();
                if (all.stream().noneMatch(known -> known.id().equals(vault.id()))) {
                    all.add(vault);
                }
            }
            return all;
        }

        private ExitCode share(Stdio stdio, boolean anew) throws IOException, InterruptedException {
            Consumer<String> warnings = stdio.warnings();
            List<Vault> all = open(warnings);
            Collection<String> volumes = new Sharing(all, InstantSource.system(), warnings).shareAll(anew);
            stdio.out().println(all.size() + (all.size() == 1 ? " vault" : " vaults") + (anew ? " looked at anew" : "") + ", " + volumes.size()
                    + (volumes.size() == 1 ? " volume" : " volumes") + (all.size() == 1 ? "" : ": each knows now what any of them knew"));
            return ExitCode.OK;
        }
    }

    /// `varve catalogue rebuild`.
    @Command(name = "rebuild",
            description = {"Make the catalogue again from what lies on the media.", "",
                "Each vault's own inventory is taken anew from its folder, tables that are missing beside data files are made again, and all of the vaults, that of "
                    + "--vault included if it is given, learn what the others hold."})
    static final class Rebuild implements Verb {
        @Mixin
        private Places places = new Places();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
            return places.share(stdio, true);
        }
    }

    /// `varve catalogue merge`.
    @Command(name = "merge",
            description = {"Let vaults tell each other what they know, without copying data.", "",
                "Of each vault the newest inventory holds, so it does not matter in which order catalogues are brought together, or how often."})
    static final class Merge implements Verb {
        @Mixin
        private Places places = new Places();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
            return places.share(stdio, false);
        }
    }
}
