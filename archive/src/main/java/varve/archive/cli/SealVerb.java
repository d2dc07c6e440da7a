package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.Rewrapping;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.Seal;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Volume;

/// `varve seal`: for whom the archives of a volume are sealed.
@Command(
        name = "seal",
        description = {
            "Say for whom the archives of a volume are sealed, and seal them for others.",
            "",
            "varve archive --recipient begins it.",
        },
        subcommands = {SealVerb.Show.class, SealVerb.Rewrap.class})
public final class SealVerb implements Verb {

    @Override
    public Purpose purpose() {
        return Purpose.KEEP;
    }

    @Override
    public ExitCode run(Stdio stdio) {
        throw new UsageException("what? show or rewrap");
    }

    /// `varve seal show`.
    @Command(name = "show", description = "Say for whom a volume is sealed, and its archives.")
    static final class Show implements Verb {

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Mixin
        private VaultOption vault = new VaultOption();

        @Mixin
        private JsonOption json = new JsonOption();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            Volume of = vault.open().volume(volume);
            History history = of.read().sound();
            SealedFor now = SealedFor.of(of, history);
            if (json.asked()) {
                json(stdio.out(), now, history);
                return ExitCode.OK;
            }
            PrintStream out = stdio.out();
            out.println(now.texts().isEmpty() ? volume + ": not sealed" : volume + ": sealed for");
            now.texts().forEach(text -> out.println("  " + text));
            for (StoredArchive archive : history.archives()) {
                out.println(archive.manifest().dataName() + (archive.dataAtHand() ? "" : " (not here)") + ": " + say(archive.manifest(), now));
            }
            return ExitCode.OK;
        }

        private static String say(Manifest manifest, SealedFor now) {
            if (manifest.seal().isEmpty()) {
                return "not sealed";
            }
            List<String> theirs = manifest.seal().get().recipients();
            if (theirs.equals(now.texts())) {
                return "for these";
            }
            List<String> more = theirs.stream().filter(text -> !now.texts().contains(text)).toList();
            List<String> less = now.texts().stream().filter(text -> !theirs.contains(text)).toList();
            return (more.isEmpty() ? "" : "also for " + String.join(", ", more)) + (more.isEmpty() || less.isEmpty() ? "" : "; ")
                    + (less.isEmpty() ? "" : "not for " + String.join(", ", less));
        }

        private void json(PrintStream out, SealedFor now, History history) {
            try (JsonText text = new JsonText(out)) {
                text.object().member("volume", volume).array("recipients");
                now.texts().forEach(text::element);
                text.end().array("archives");
                for (StoredArchive archive : history.archives()) {
                    text.object()
                            .member("archive", archive.manifest().dataName())
                            .member("here", archive.dataAtHand())
                            .member("sealed", archive.manifest().seal().isPresent())
                            .array("recipients");
                    archive.manifest().seal().map(Seal::recipients).orElse(List.of()).forEach(text::element);
                    text.end().end();
                }
                text.end().end();
            }
        }
    }

    /// `varve seal rewrap`.
    @Command(name = "rewrap", description = {
        "Seal the archives of a volume for more or fewer keys, and those to come.",
        "",
        "Each gets a new header; its data is neither decrypted nor encrypted again. That takes a secret key that opens it. Who is removed can still open "
                + "copies that were made before.",
    })
    static final class Rewrap implements Verb {

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Option(names = "--add", paramLabel = "KEY|FILE", description = "A public key that can open them from now on, or a file of such keys. May be given several times.")
        private List<String> added = new ArrayList<>();

        @Option(names = "--remove", paramLabel = "KEY|FILE", description = "A public key that cannot any more. May be given several times.")
        private List<String> removed = new ArrayList<>();

        @Mixin
        private VaultOption vault = new VaultOption();

        @Mixin
        private KeysOption keys = new KeysOption();

        @Mixin
        private LockWaitOption lockWait = new LockWaitOption();

        @Option(names = {"-n", "--dry-run"}, description = "Say what would be done, and do nothing.")
        private boolean dryRun;

        @Mixin
        private ProgressOption progress = new ProgressOption();

        @Override
        public Purpose purpose() {
            return Purpose.KEEP;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
            Rewrapping rewrapping = new Rewrapping(
                    keys.open(vault.open()), volume, SealOption.parse("--add", added), SealOption.parse("--remove", removed), InstantSource.system(),
                    stdio.warnings());
            if (dryRun) {
                print(rewrapping.plan(), stdio.out());
                stdio.out().println("nothing was written");
                return ExitCode.OK;
            }
            Rewrapping.Plan plan = rewrapping.plan();
            try (Progress shown = progress.start(stdio, "seal rewrap " + volume, plan.size())) {
                rewrapping.execute(lockWait.duration(), it -> print(it, stdio.err()), shown::add);
                shown.finish();
            }
            stdio.out().println(volume + ": sealed " + count(plan.archives()) + " anew, for " + plan.after().texts().size()
                    + (plan.after().texts().size() == 1 ? " key" : " keys") + "; written, read back and compared");
            return ExitCode.OK;
        }

        private static void print(Rewrapping.Plan plan, PrintStream out) {
            plan.after().texts().forEach(text -> out.println((plan.before().texts().contains(text) ? "  keeps    " : "  adds     ") + text));
            plan.before().texts().stream().filter(text -> !plan.after().texts().contains(text)).forEach(text -> out.println("  removes  " + text));
            out.println("  rewraps  " + count(plan.archives()) + ", " + Size.format(plan.size()));
            for (StoredArchive archive : plan.away()) {
                out.println("  not here " + archive.manifest().dataName() + ": stays as it is; give the command again where it is");
            }
        }

        private static String count(List<StoredArchive> archives) {
            return archives.size() + (archives.size() == 1 ? " archive" : " archives");
        }
    }
}
