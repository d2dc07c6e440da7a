package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.Eviction;
import varve.archive.EvictionPlan;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Vault;

/// `varve evict`: makes room in a vault, relying on copies in others.
@Command(
        name = "evict",
        description = {
            "Remove data files from a vault of which other vaults hold enough proved copies.",
            "",
            "Manifests and hash tables stay: points in time are still listed and compared, and the next delta is made, without the disks. "
                    + "Copies count in vaults at hand, and in those that are known to be kept away (varve vault --help). A vault that is kept away itself "
                    + "relies only on others of its kind that are at hand.",
        })
public final class EvictVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
    private String volume = "";

    @Option(names = "--min-copies", paramLabel = "N", description = "How many proved copies have to be in other vaults. Default: 2.")
    private int minCopies = 2;

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Option(names = {"-n", "--dry-run"}, description = "Show what would be removed, and remove nothing.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.KEEP;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        if (minCopies < 1) {
            throw new UsageException("--min-copies " + minCopies + ": expected 1 or more");
        }
        Consumer<String> warnings = stdio.warnings();
        List<Vault> here = vaults.open(warnings);
        Catalogue catalogue = Catalogue.open(here, warnings);
        Eviction eviction = new Eviction(here, volume, minCopies, InstantSource.system(), warnings);
        if (dryRun) {
            EvictionPlan plan = eviction.plan();
            if (json.asked()) {
                json(stdio, plan);
            } else {
                print(plan, catalogue, stdio.out());
                stdio.out().println("nothing was removed");
            }
            return ExitCode.OK;
        }
        EvictionPlan plan = eviction.execute(lockWait.duration(), planned -> print(planned, catalogue, stdio.err()));
        if (json.asked()) {
            json(stdio, plan);
        } else {
            stdio.out().println(volume + ": removed " + files(plan.evicted()) + ", " + Size.format(plan.size()) + "; kept " + files(plan.kept()));
        }
        return ExitCode.OK;
    }

    private static String files(List<EvictionPlan.Item> items) {
        return items.size() + (items.size() == 1 ? " data file" : " data files");
    }

    private static void print(EvictionPlan plan, Catalogue catalogue, PrintStream out) {
        out.println("evict " + plan.volume() + " from vault " + plan.vault().name() + " in " + plan.vault().folder() + ", where others hold "
                + plan.minCopies() + (plan.minCopies() == 1 ? " proved copy" : " proved copies"));
        Table table = new Table("", "DATA FILE", ">SIZE", "ALSO IN");
        plan.evicted().forEach(item -> row(table, "remove", item, catalogue));
        plan.kept().forEach(item -> row(table, "keep", item, catalogue));
        table.print(out, "no data files are here");
    }

    private static void row(Table table, String what, EvictionPlan.Item item, Catalogue catalogue) {
        table.row("  " + what, item.archive().data().getFileName().toString(), Size.format(item.size()), names(item.elsewhere(), catalogue));
    }

    private static String names(Set<UUID> vaults, Catalogue catalogue) {
        return vaults.isEmpty() ? "no vault that can be relied on" : vaults.stream().map(catalogue::name).sorted().collect(Collectors.joining(", "));
    }

    private void json(Stdio stdio, EvictionPlan plan) {
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("volume", plan.volume())
                    .member("vault", plan.vault().folder().toString())
                    .member("vaultId", plan.vault().id().toString())
                    .member("dryRun", dryRun)
                    .member("minCopies", plan.minCopies())
                    .member("size", plan.size());
            list(text.array("evicted"), plan.evicted());
            list(text.array("kept"), plan.kept());
        }
    }

    private static void list(JsonText text, List<EvictionPlan.Item> items) {
        for (EvictionPlan.Item item : items) {
            text.object()
                    .member("archive", item.archive().manifest().dataName())
                    .member("fileSize", item.size())
                    .array("elsewhere");
            item.elsewhere().stream().map(UUID::toString).sorted().forEach(text::element);
            text.end().end();
        }
        text.end();
    }
}
