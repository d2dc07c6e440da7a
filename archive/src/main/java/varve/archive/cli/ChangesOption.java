package varve.archive.cli;

import java.security.SecureRandom;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.ListReport;
import varve.archive.ListedChanges;
import varve.archive.RunOptions;
import varve.archive.changes.ChangeSource;
import varve.archive.format.Manifest;
import varve.archive.snapshot.Hooks;

/// The options about a change list, and what is said of one.
final class ChangesOption {

    @Option(names = "--changes", paramLabel = "KIND:FILE",
            description = "Read only what this list names, and a sample of the rest. KIND: lvm-cow, thin-delta, era, rbd-diff, extents.")
    private @Nullable String changes;

    @Option(names = "--since", paramLabel = "POINT",
            description = "The point in time that the list starts from, such as latest or 2026-11-20.")
    private @Nullable String since;

    @Option(names = "--era-block-size", paramLabel = "SIZE", converter = Size.Bytes.class,
            description = "Of an era list, which does not tell it.")
    private @Nullable Long eraBlockSize;

    @Option(names = "--audit-sample", paramLabel = "PERCENT",
            description = "How much of what the list calls unchanged is drawn at random, read and compared. Default: 0.4.")
    private double auditSample = 100 * ListedChanges.DEFAULT_SAMPLE;

    @Option(names = "--audit-stripe-days", paramLabel = "DAYS",
            description = "In how many days the audit goes once around the whole device. Default: 200.")
    private int auditStripeDays = ListedChanges.DEFAULT_STRIPE_DAYS;

    /// {@return the list that was asked for}
    Optional<ListedChanges> read() {
        if (changes == null) {
            if (since != null || eraBlockSize != null) {
                throw new UsageException((since != null ? "--since" : "--era-block-size") + " is about a change list: give that with --changes");
            }
            return Optional.empty();
        }
        check();
        OptionalLong unit = eraBlockSize == null ? OptionalLong.empty() : OptionalLong.of(eraBlockSize);
        try {
            ChangeSource list = ChangeSource.parse(changes, unit);
            Optional<String> start = Optional.ofNullable(since).map(point -> point.substring(point.indexOf('@') + 1));
            return Optional.of(new ListedChanges(list, start, auditSample / 100, auditStripeDays, new SecureRandom()));
        } catch (IllegalArgumentException e) {
            throw new UsageException("--changes " + e.getMessage());
        }
    }

    private void check() {
        if (!(auditSample >= 0 && auditSample <= 100)) {
            throw new UsageException("--audit-sample " + auditSample + ": expected a percentage of 0 to 100");
        }
        if (auditStripeDays < 1) {
            throw new UsageException("--audit-stripe-days " + auditStripeDays + ": expected 1 or more");
        }
    }

    /// {@return how a list is audited that the run itself makes}
    ///
    /// @param said gets what hooks print
    RunOptions around(Hooks hooks, Consumer<String> said) {
        check();
        return new RunOptions(hooks, said, auditSample / 100, auditStripeDays, new SecureRandom());
    }

    static void json(JsonText text, ListReport list) {
        text.object("changes")
                .member("list", list.list())
                .member("believed", list.believed())
                .member("listedSize", list.listedSize())
                .member("outside", list.outside())
                .member("drawnChunks", list.drawn())
                .member("undetectedShare", String.format(Locale.ROOT, "%.6f", list.undetected()))
                .member("stripeChunks", list.striped())
                .member("chunks", list.chunks())
                .member("aroundBy", Manifest.text(list.aroundBy()))
                .member("auditedSize", list.auditedSize())
                .member("wrongOffset", list.wrong().isPresent() ? String.valueOf(list.wrong().getAsLong()) : null)
                .end();
    }

    /// {@return what came of a list, for people}
    static String text(ListReport list) {
        if (!list.believed()) {
            return "change list: not used, it is wrong: the whole device was read";
        }
        String drawn = list.drawn() == 0
                ? "nothing was drawn at random"
                : String.format(Locale.ROOT, "changes kept back in more than %.3g %% of the chunks would have been found with 99 %% probability",
                        100 * list.undetected());
        return "change list: " + Size.format(list.listedSize()) + " listed; of the rest " + Size.format(list.auditedSize())
                + " was read and is as in the parent: " + drawn + "; the whole device will have been compared by "
                + Manifest.text(list.aroundBy()).substring(0, 10);
    }
}
