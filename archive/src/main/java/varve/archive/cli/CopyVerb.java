package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.CopyOptions;
import varve.archive.CopyPlan;
import varve.archive.Copying;
import varve.archive.Copying.Outcome;
import varve.archive.block.DeviceException;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Vault;
import varve.archive.vault.VaultName;

/// `varve copy`: brings archives to another vault.
@Command(
        name = "copy",
        description = {
            "Bring to another vault what is missing there, so that points in time can be restored from it alone.",
            "",
            "What is read is proved, what is written is read back from the medium before it counts. What is there already is not copied "
                    + "again; a run that dies is resumed by the next. At the end both vaults know what the other holds.",
        })
public final class CopyVerb implements Verb {

    /// archives that a plan for people names one by one
    private static final int MOST_LINES = 12;

    @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
    private String volume = "";

    @Option(names = "--to", paramLabel = "VAULT", required = true,
            description = "The vault to bring it to: a folder, LABEL=DIR if it has to be the one that is called so, or the LABEL of one that is where it was last seen. "
                    + "A new one is made with varve vault init.")
    private String to = "";

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Option(names = "--points", paramLabel = "POINT", split = ",",
            description = "Points in time that are to be restorable there, as behind the @ of VOLUME@POINT, with commas between them. Default: all that are restorable here.")
    private List<String> points = new ArrayList<>();

    @Option(names = "--bwlimit", paramLabel = "RATE", converter = Size.Rate.class, description = "Read at most so much a second, such as 50M.")
    private long bwlimit;

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Option(names = {"-n", "--dry-run"}, description = "Show what would be brought and whether it fits, and write nothing.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.KEEP;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Consumer<String> warnings = stdio.warnings();
        List<Vault> sources = vaults.open(warnings);
        Vault target = VaultName.parse(to).open(Catalogue.open(sources, warnings));
        CopyOptions options = new CopyOptions(points, bwlimit);
        Copying copying = new Copying(sources, target, volume, options, InstantSource.system(), warnings);
        if (dryRun) {
            CopyPlan plan = copying.plan();
            if (json.asked()) {
                json(stdio, plan, null);
            } else {
                print(plan, sources, stdio.out());
                stdio.out().println("nothing was written");
            }
            return end(plan, sources);
        }
        Progress[] shown = {Progress.silent()};
        Outcome outcome;
        try {
            outcome = copying.execute(
                    lockWait.duration(),
                    plan -> {
                        print(plan, sources, stdio.err());
                        shown[0] = progress.start(stdio, "copy " + volume, plan.size());
                    },
                    bytes -> shown[0].add(bytes));
            shown[0].finish();
        } finally {
            shown[0].close();
        }
        if (json.asked()) {
            json(stdio, outcome.plan(), outcome);
        } else {
            print(outcome, stdio.out());
        }
        for (IOException failure : outcome.failures().reversed().subList(0, Math.max(0, outcome.failures().size() - 1))) {
            stdio.err().println("varve: " + failure.getMessage());
        }
        if (!outcome.failures().isEmpty()) {
            throw outcome.failures().getFirst();
        }
        return end(outcome.plan(), sources);
    }

    /// @throws IOException if not all of the points are there in the end
    private ExitCode end(CopyPlan plan, List<Vault> sources) throws IOException {
        if (!plan.missing().isEmpty()) {
            throw new BrokenChainException(volume + ": not all that is needed is here: bring " + needed(plan, sources) + ", then copy from there too (--vault)");
        }
        if (!plan.unfit().isEmpty()) {
            throw new DeviceException(plan.target().folder() + ": has no room for " + plan.unfit().size() + " of the points in time: "
                    + plan.needed() + " bytes are needed, " + plan.free() + " are free");
        }
        return ExitCode.OK;
    }

    /// {@return the vaults that hold what is missing}
    private static String needed(CopyPlan plan, List<Vault> sources) throws IOException {
        Catalogue catalogue = Catalogue.open(sources, warning -> {});
        return plan.missing().stream().map(missing -> catalogue.describe(missing.holders().getFirst())).distinct().collect(Collectors.joining(", "));
    }

    private void print(CopyPlan plan, List<Vault> sources, PrintStream out) {
        Vault target = plan.target();
        row(out, "copy", volume + " to vault " + target.name() + " in " + target.folder());
        List<CopyPlan.Item> items = plan.items();
        row(out, "brings", items.isEmpty() ? "nothing: what is wanted is there and proved"
                : items.size() + (items.size() == 1 ? " archive, " : " archives, ") + Size.format(plan.size()));
        if (items.size() <= MOST_LINES) {
            items.forEach(item -> row(out, "", line(item)));
        } else {
            row(out, "", line(items.getFirst()));
            row(out, "", "... " + (items.size() - 2) + " others ...");
            row(out, "", line(items.getLast()));
        }
        row(out, "then", count(plan.reached()) + " can be restored from there" + (plan.already() == plan.reached().size() ? "" : ", " + plan.already() + " could before"));
        row(out, "room", Size.format(plan.needed()) + " needed, " + Size.format(plan.free()) + " free");
        if (!plan.unfit().isEmpty()) {
            row(out, "NO ROOM", "for " + count(plan.unfit()) + ": " + name(plan.unfit().getFirst())
                    + (plan.unfit().size() == 1 ? "" : " to " + name(plan.unfit().getLast())) + "; the rest is brought");
        }
        for (CopyPlan.Missing missing : plan.missing()) {
            row(out, "missing", missing.archive().manifest().dataName() + ", " + Size.format(missing.archive().manifest().file().size()));
        }
    }

    private static String line(CopyPlan.Item item) {
        String left = item.staged() > 0 ? "; goes on with what an interrupted run left" : item.there() ? "; there, but not proved" : "";
        return item.archive().data().getFileName() + ", " + Size.format(item.size()) + left;
    }

    private static void print(Outcome outcome, PrintStream out) {
        CopyPlan plan = outcome.plan();
        long size = outcome.copied().stream().mapToLong(archive -> archive.manifest().file().size()).sum();
        out.println(plan.volume() + ": " + outcome.copied().size() + (outcome.copied().size() == 1 ? " archive, " : " archives, ") + Size.format(size)
                + ", brought to vault " + plan.target().name());
        if (outcome.reused() > 0) {
            out.println("of this, " + Size.format(outcome.reused()) + " were there already, and right");
        }
        if (outcome.mended() > 0) {
            out.println("of this, " + Size.format(outcome.mended()) + " are damaged in one of the vaults and were taken from another: run varve verify there");
        }
        if (outcome.failures().isEmpty()) {
            out.println("safe in " + plan.target().folder() + ": read back from the medium and compared; " + count(plan.reached()) + " can be restored from there");
        }
    }

    private static String count(List<Point> points) {
        return points.size() + (points.size() == 1 ? " point in time" : " points in time");
    }

    private static String name(Point point) {
        return point.manifest().volume() + "@" + Manifest.text(point.manifest().time());
    }

    private static void row(PrintStream out, String name, String text) {
        out.println("  " + name + " ".repeat(Math.max(1, 9 - name.length())) + text);
    }

    private void json(Stdio stdio, CopyPlan plan, @Nullable Outcome outcome) {
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("volume", plan.volume())
                    .member("vault", plan.target().folder().toString())
                    .member("vaultId", plan.target().id().toString())
                    .member("dryRun", outcome == null)
                    .array("archives");
            for (CopyPlan.Item item : plan.items()) {
                text.object()
                        .member("archive", item.archive().manifest().dataName())
                        .member("fileSize", item.size())
                        .member("copied", outcome != null && outcome.copied().contains(item.archive()))
                        .end();
            }
            text.end()
                    .member("size", plan.size())
                    .member("needed", plan.needed())
                    .member("free", plan.free())
                    .member("points", plan.reached().size())
                    .member("pointsBefore", plan.already())
                    .array("noRoomFor");
            plan.unfit().forEach(point -> text.element(Manifest.text(point.manifest().time())));
            text.end().array("missing");
            for (CopyPlan.Missing missing : plan.missing()) {
                text.object().member("archive", missing.archive().manifest().dataName()).array("vaultIds");
                missing.holders().forEach(vault -> text.element(vault.toString()));
                text.end().end();
            }
            text.end();
            if (outcome != null) {
                text.member("reusedSize", outcome.reused()).member("mendedSize", outcome.mended()).array("failures");
                outcome.failures().forEach(failure -> text.element(String.valueOf(failure.getMessage())));
                text.end();
            }
        }
    }
}
