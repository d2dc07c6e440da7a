package varve.archive.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.block.RefusedException;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Inventory;
import varve.archive.vault.Standing;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;
import varve.archive.vault.Volume;

/// `varve vault`: vaults, where they are kept, and whether they are relied on.
@Command(
        name = "vault",
        description = {
            "Make vaults, list them, and say where they are kept.",
            "",
            "A vault is known by an id in its marker (varve-vault.json), not by its path: an empty mount point or another disk is noticed.",
        },
        subcommands = {VaultVerb.Init.class, VaultVerb.ListAll.class, VaultVerb.Show.class, VaultVerb.Say.class, VaultVerb.Retire.class})
public final class VaultVerb implements Verb {

    @Override
    public Purpose purpose() {
        return Purpose.KEEP;
    }

    @Override
    public ExitCode run(Stdio stdio) {
        throw new UsageException("what? init, list, show, set or retire");
    }

    /// What is said of a vault.
    private static final class StandingOptions {
        @Option(names = "--label", paramLabel = "TEXT", description = "What people call it: up to 64 characters without / and =.")
        private @Nullable String label;

        @Option(names = "--place", paramLabel = "TEXT", description = "Where it is kept: \"safe B, shelf 3\". Empty text takes back what was said.")
        private @Nullable String place;

        @Option(names = "--state", paramLabel = "STATE",
                description = "online: always within reach. away: kept elsewhere; from then on other vaults rely on it without seeing it. "
                        + "suspect: perhaps lost or damaged, counts as no copy.")
        private @Nullable String state;

        private Standing apply(Standing to) throws RefusedException {
            Standing standing = to;
            if (state != null) {
                if (state.equals("retired")) {
                    throw new UsageException("--state retired: that is varve vault retire, which looks at what would be lost");
                }
                try {
                    standing = standing.with(Standing.State.of(state));
                } catch (IllegalArgumentException e) {
                    throw new UsageException("--state " + state + ": expected online, away or suspect");
                }
            }
            standing = label == null ? standing : standing.labelled(label);
            return place == null ? standing : standing.placed(place);
        }
    }

    /// `varve vault init`.
    @Command(name = "init", description = "Make a vault in a folder that is empty or does not exist.")
    static final class Init implements Verb {

        @Parameters(index = "0", paramLabel = "DIR", description = "The folder: of a mounted disk, say.")
        private Path folder = Path.of("");

        @Mixin
        private StandingOptions options = new StandingOptions();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            Standing standing = options.apply(Standing.NEW);
            if (Files.exists(folder.resolve("varve-vault.json"))) {
                Vault vault = Vault.open(folder);
                throw new RefusedException(folder + ": is a vault already: " + vault.name() + " (" + vault.id() + ")");
            }
            Vault vault = Vault.create(folder, standing);
            stdio.out().println("made vault " + vault.name() + " (" + vault.id() + ") in " + folder.toRealPath() + ", on "
                    + Files.getFileStore(folder) + ", " + Size.format(Files.getFileStore(folder).getUsableSpace()) + " free");
            return ExitCode.OK;
        }
    }

    /// `varve vault list`.
    @Command(name = "list", description = "List the vaults that are known, and whether they are at hand.")
    static final class ListAll implements Verb {

        @Mixin
        private VaultsOption vaults = new VaultsOption();

        @Mixin
        private JsonOption json = new JsonOption();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            Consumer<String> warnings = stdio.warnings();
            Catalogue catalogue = Catalogue.around(vaults.open(warnings), warnings);
            if (json.asked()) {
                try (JsonText text = new JsonText(stdio.out())) {
                    text.object().array("vaults");
                    for (UUID vault : catalogue.all()) {
                        text.object();
                        VaultText.json(text, catalogue, vault);
                        text.end();
                    }
                }
                return ExitCode.OK;
            }
            Table table = new Table("VAULT", "ID", "STATE", "PLACE", "AT HAND", ">VOLUMES", ">FILES", ">SIZE", "LAST SEEN");
            for (UUID vault : catalogue.all()) {
                VaultText of = VaultText.of(catalogue, vault);
                table.row(
                        catalogue.standing(vault).label().orElse("-"),
                        vault.toString().substring(0, 8),
                        catalogue.standing(vault).state().word(),
                        catalogue.standing(vault).place().orElse(""),
                        catalogue.atHand(vault).map(here -> here.folder().toString()).orElse("no"),
                        String.valueOf(of.stocks().size()),
                        String.valueOf(of.files()),
                        Size.format(of.size()),
                        catalogue.atHand(vault).isPresent() ? "now" : catalogue.seen(vault).flatMap(Inventory.Other::seen).map(Manifest::text).orElse("never"));
            }
            table.print(stdio.out(), "no vaults");
            return ExitCode.OK;
        }
    }

    /// The vault that a command is about: at hand, or known of.
    private static final class Subject {

        @Parameters(index = "0", arity = "0..1", paramLabel = "VAULT",
                description = "A folder, or the label or first digits of the id of a vault that is known. Default: the one of --vault.")
        private @Nullable String name;

        @Mixin
        private VaultsOption vaults = new VaultsOption();

        /// {@return what is known together with the vault, if that is at hand}
        private Catalogue catalogue(Consumer<String> warnings) throws IOException {
            List<Vault> here = new ArrayList<>();
            Optional<Path> folder = name == null ? Optional.empty() : VaultName.parse(name).folder();
            if (folder.isEmpty() || vaults.named()) {
                here.addAll(vaults.open(warnings));
            }
            if (folder.isPresent()) {
                Vault vault = VaultName.parse(name).open();
                if (here.stream().noneMatch(known -> known.id().equals(vault.id()))) {
                    here.add(vault);
                }
            }
            return Catalogue.around(here, warnings);
        }

        private UUID id(Catalogue catalogue) throws IOException {
            if (name == null) {
                return catalogue.atHand().getFirst().id();
            }
            VaultName parsed = VaultName.parse(name);
            return parsed.folder().isPresent() ? parsed.open().id() : catalogue.find(name);
        }
    }

    /// `varve vault show`.
    @Command(name = "show", description = "Show what is known of a vault: where it is kept, what it holds, when that was last proved.")
    static final class Show implements Verb {

        @Mixin
        private Subject subject = new Subject();

        @Mixin
        private JsonOption json = new JsonOption();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            Catalogue catalogue = subject.catalogue(stdio.warnings());
            UUID vault = subject.id(catalogue);
            if (json.asked()) {
                try (JsonText text = new JsonText(stdio.out())) {
                    text.object();
                    VaultText.json(text, catalogue, vault);
                }
            } else {
                VaultText.of(catalogue, vault).print(stdio.out());
            }
            return ExitCode.OK;
        }
    }

    /// `varve vault set`.
    @Command(name = "set",
            description = {"Say how a vault is called, where it is kept, whether it is relied on.", "",
                "That can be said of a vault that is away: the vault of --vault keeps it, and tells it when they meet."})
    static final class Say implements Verb {

        @Mixin
        private Subject subject = new Subject();

        @Mixin
        private StandingOptions options = new StandingOptions();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
            Consumer<String> warnings = stdio.warnings();
            Catalogue catalogue = subject.catalogue(warnings);
            UUID vault = subject.id(catalogue);
            Standing standing = options.apply(catalogue.standing(vault));
            Catalogue now = standing.equals(catalogue.standing(vault)) ? catalogue : catalogue.say(vault, standing, InstantSource.system(), warnings);
            stdio.out().println(now.describe(vault) + ": " + now.standing(vault).state().word());
            return ExitCode.OK;
        }
    }

    /// `varve vault retire`.
    @Command(name = "retire",
            description = {"Give a vault up: what it holds counts as no copy any more.", "",
                "It is refused if points in time would be left without a proved copy. Nothing is removed from the vault."})
    static final class Retire implements Verb {

        @Mixin
        private Subject subject = new Subject();

        @Option(names = "--lost", description = "It is gone already, so that nothing is lost by saying so.")
        private boolean lost;

        @Option(names = {"-n", "--dry-run"}, description = "Show what would be left, and change nothing.")
        private boolean dryRun;

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
            Consumer<String> warnings = stdio.warnings();
            Catalogue catalogue = subject.catalogue(warnings);
            UUID vault = subject.id(catalogue);
            List<String> orphans = new ArrayList<>();
            for (String volume : volumes(catalogue)) {
                orphans.addAll(orphans(catalogue, vault, volume));
            }
            for (String orphan : orphans) {
                stdio.err().println("  no other proved copy of " + orphan);
            }
            if (!orphans.isEmpty() && !lost) {
                throw new RefusedException("vault " + catalogue.describe(vault) + " holds the last proved copy of " + orphans.size()
                        + " points in time: copy them to another vault first (varve copy); if it is lost: --lost");
            }
            if (dryRun) {
                stdio.out().println("nothing was changed");
                return ExitCode.OK;
            }
            catalogue.say(vault, catalogue.standing(vault).with(Standing.State.RETIRED), InstantSource.system(), warnings);
            stdio.out().println(catalogue.describe(vault) + ": retired; what it holds counts as no copy any more");
            return ExitCode.OK;
        }

        private static Set<String> volumes(Catalogue catalogue) throws IOException {
            Set<String> volumes = new TreeSet<>();
            for (Vault here : catalogue.atHand()) {
                volumes.addAll(here.volumes());
            }
            return volumes;
        }

        /// points in time that nobody else has
        private static List<String> orphans(Catalogue catalogue, UUID vault, String volume) throws IOException {
            List<Volume> volumes = new ArrayList<>();
            for (Vault here : catalogue.atHand()) {
                volumes.add(here.volume(volume));
            }
            History history = Volume.together(volumes).history();
            Copies copies = catalogue.copies(volume, history.archives());
            Copies left = copies.without(vault);
            return history.points().stream()
                    .filter(point -> copies.of(point.state()) > 0 && left.of(point.state()) == 0)
                    .map(Point::manifest)
                    .map(manifest -> manifest.volume() + "@" + Manifest.text(manifest.time()))
                    .toList();
        }
    }
}
