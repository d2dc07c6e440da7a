package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.Expiry;
import varve.archive.Expiry.Outcome;
import varve.archive.ExpiryOptions;
import varve.archive.ExpiryPlan;
import varve.archive.ExpiryPlan.Fate;
import varve.archive.ExpiryPlan.Fold;
import varve.archive.chain.BrokenChainException;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.Vault;

/// `varve expire`: lets points in time go that a policy does not keep.
@Command(
        name = "expire",
        description = {
            "Let points in time go that the policy does not keep; deltas between kept ones are folded.",
            "",
            "Protected and labelled points, the latest point and the last full never go. The plan is shown first. New archives are made, read back and "
                    + "proved before anything is removed; a run that dies is finished by the next.",
            "",
            "Points go from the first --vault. From one that is kept away nothing goes unless the vaults that rely on it are given, too.",
        })
public final class ExpireVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
    private String volume = "";

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Mixin
    private KeepOptions keep = new KeepOptions();

    @Option(names = "--min-copies", paramLabel = "N",
            description = "How many proved copies each kept point has to have afterwards, in all vaults together. Default: 1.")
    private int minCopies = 1;

    @Option(names = "--threads", paramLabel = "N",
            description = "How many threads read, hash and compress. Default: one for each core.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Option(names = {"-n", "--dry-run"}, description = "Show the plan, and change nothing.")
    private boolean dryRun;

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private ProgressOption progress = new ProgressOption();

    @Override
    public Purpose purpose() {
        return Purpose.RETAIN;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        if (minCopies < 1) {
            throw new UsageException("--min-copies " + minCopies + ": expected 1 or more");
        }
        if (threads < 1 || threads > 256) {
            throw new UsageException("--threads " + threads + ": expected 1 to 256");
        }
        ExpiryOptions options = new ExpiryOptions(keep.policy(), minCopies, threads);
        Consumer<String> warnings = stdio.warnings();
        List<Vault> here = keys.open(vaults.open(warnings));
        Expiry expiry = new Expiry(here, volume, options, InstantSource.system(), warnings);
        if (dryRun) {
            ExpiryPlan plan = expiry.plan();
            if (json.asked()) {
                json(stdio, here.getFirst(), plan, null);
            } else {
                print(plan, here.getFirst(), stdio.out());
                stdio.out().println("nothing was changed");
            }
            return end(plan);
        }
        Outcome outcome;
        try (Progress shown = progress.start(stdio, "expire " + volume, -1)) {
            outcome = expiry.execute(lockWait.duration(), plan -> print(plan, here.getFirst(), stdio.err()), shown::add);
            shown.finish();
        }
        if (json.asked()) {
            json(stdio, here.getFirst(), outcome.plan(), outcome);
        } else {
            stdio.out().println(volume + ": " + done(outcome));
        }
        return end(outcome.plan());
    }

    /// @throws BrokenChainException if some of what could go stays
    private ExitCode end(ExpiryPlan plan) throws BrokenChainException {
        if (!plan.left().isEmpty()) {
            throw new BrokenChainException(volume + ": not all can be done: " + String.join("; ", plan.left()));
        }
        return ExitCode.OK;
    }

    private static String done(Outcome outcome) {
        ExpiryPlan plan = outcome.plan();
        return count(plan.kept().size(), "point") + " kept, " + count(plan.expired().size(), "point") + " gone; made "
                + count(outcome.made().size(), "archive") + ", removed " + count(plan.removed().size(), "data file") + ", "
                + (outcome.freed() < 0 ? Size.format(-outcome.freed()) + " more in use" : Size.format(outcome.freed()) + " freed");
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    // ---- the plan

    private void print(ExpiryPlan plan, Vault vault, PrintStream out) {
        out.println("expire " + volume + " in vault " + vault.name() + " in " + vault.folder() + ": keep " + plan.policy());
        Table table = new Table(">#", "POINT IN TIME", "", "WHY");
        for (Fate fate : plan.fates()) {
            table.row(String.valueOf(fate.number()), Manifest.text(fate.point().manifest().time()), word(fate), String.join(", ", fate.why()));
        }
        table.print(out, "there are no points in time");
        for (Fold fold : plan.folds()) {
            out.println("folds  " + count(fold.archives().size(), "delta") + " of " + Size.format(fold.size()) + " into one to #"
                    + fold.to().manifest().sequence() + ": " + name(fold.archives().getFirst()) + " to " + name(fold.archives().getLast()));
        }
        if (!plan.noted().isEmpty()) {
            out.println("notes  " + count(plan.noted().size(), "point") + " as without a change since another");
        }
        out.println("reads  " + Size.format(plan.readSize()) + ", and needs at most so much room until what is old is removed");
        out.println("frees  " + Size.format(plan.removedSize() - plan.readSize())
                + (plan.readSize() > 0 ? " to " + Size.format(plan.removedSize()) : "") + " in " + count(plan.removed().size(), "data file"));
        long stay = plan.removed().stream().filter(archive -> !plan.forgotten().contains(archive)).count();
        if (stay > 0) {
            out.println("lists  " + count((int) stay, "archive") + " of these as away: other vaults hold them");
        }
        plan.left().forEach(left -> out.println("LEAVES " + left));
    }

    private static String word(Fate fate) {
        return fate.kept() ? "kept" : fate.stays() ? "stays" : "goes";
    }

    private static String name(StoredArchive archive) {
        return archive.manifest().dataName();
    }

    private void json(Stdio stdio, Vault vault, ExpiryPlan plan, @Nullable Outcome outcome) {
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("volume", volume)
                    .member("vault", vault.folder().toString())
                    .member("vaultId", vault.id().toString())
                    .member("dryRun", dryRun)
                    .member("minCopies", minCopies);
            PolicyVerb.policy(text, plan.policy());
            text.array("points");
            for (Fate fate : plan.fates()) {
                text.object()
                        .member("sequence", fate.number())
                        .member("time", Manifest.text(fate.point().manifest().time()))
                        .member("fate", word(fate))
                        .array("why");
                fate.why().forEach(text::element);
                text.end().end();
            }
            text.end().array("folds");
            for (Fold fold : plan.folds()) {
                text.object().member("to", fold.to().manifest().sequence()).member("readSize", fold.size()).array("archives");
                fold.archives().forEach(archive -> text.element(name(archive)));
                text.end().end();
            }
            text.end().array("noted");
            plan.noted().forEach(point -> text.element(point.manifest().sequence()));
            text.end().array("removed");
            plan.removed().forEach(archive -> text.element(name(archive)));
            text.end().array("forgotten");
            plan.forgotten().forEach(archive -> text.element(name(archive)));
            text.end().array("left");
            plan.left().forEach(text::element);
            text.end().member("readSize", plan.readSize()).member("removedSize", plan.removedSize()).array("made");
            Optional.ofNullable(outcome).map(Outcome::made).orElse(List.of()).forEach(manifest -> text.element(manifest.dataName()));
            text.end();
            if (outcome != null) {
                text.member("freedSize", outcome.freed());
            }
        }
    }
}
