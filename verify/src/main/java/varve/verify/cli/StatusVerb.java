package varve.verify.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.Lapse;
import varve.archive.cli.Printable;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.verify.status.Level;
import varve.verify.status.Status;
import varve.verify.status.StatusOptions;
import varve.verify.status.Survey;

/// `varve status`: how volumes stand, for monitoring.
@Command(
        name = "status",
        description = {
            "Say whether all is well, for monitoring: the age of the newest good point in time, copies, proofs, damage, failures, dead jobs, leftovers.",
            "",
            "One line with performance data, and the exit codes of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Beyond a limit is a "
                + "warning; beyond twice a time, or without any copy, is critical. What cannot be looked at is UNKNOWN. Reads no data file.",
        })
public final class StatusVerb implements Verb {

    @Parameters(arity = "0..*", paramLabel = "VOLUME", description = "Volumes. Default: all.")
    private List<String> names = new ArrayList<>();

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Option(names = "--max-age", paramLabel = "TIME", converter = Lapse.Converter.class, defaultValue = "8d",
            description = "How old the newest good point in time of each volume may be. Default: ${DEFAULT-VALUE}.")
    private Duration maxAge = Duration.ZERO;

    @Option(names = "--min-copies", paramLabel = "N", defaultValue = "2",
            description = "How many proved copies there have to be of each point in time. Default: ${DEFAULT-VALUE}.")
    private int minCopies;

    @Option(names = "--max-unproved", paramLabel = "TIME", converter = Lapse.Converter.class, defaultValue = "40d",
            description = "How long ago the oldest proof of any byte may be. Default: ${DEFAULT-VALUE}.")
    private Duration maxUnproved = Duration.ZERO;

    @Option(names = "--max-lock", paramLabel = "TIME", converter = Lapse.Converter.class, defaultValue = "1d",
            description = "How long a job may hold a volume. Default: ${DEFAULT-VALUE}.")
    private Duration maxLock = Duration.ZERO;

    @Option(names = {"-v", "--verbose"}, description = "A line for each volume and each concern, too.")
    private boolean verbose;

    @Option(names = "--prometheus", paramLabel = "FILE",
            description = "Write metrics of each volume to a file, in one step, for the textfile collector of node_exporter; its name has to end with .prom there.")
    private @Nullable Path prometheus;

    @Mixin
    private JsonOption json = new JsonOption();

    private InstantSource clock = InstantSource.system();

    @Override
    public Purpose purpose() {
        return Purpose.PROVE;
    }

    /// Whatever happens, monitoring learns of it: an error is [Level#UNKNOWN].
    @Override
    public ExitCode run(Stdio stdio) {
        Instant now = clock.instant();
        Level level;
        try {
            if (minCopies < 0) {
                throw new IllegalArgumentException("--min-copies " + minCopies + ": expected 0 or more");
            }
            StatusOptions options = new StatusOptions(maxAge, minCopies, maxUnproved, maxLock);
            Status status = new Survey(vaults.open(stdio.warnings()), options, clock).run(names);
            level = status.level();
            write(StatusMetrics.of(status));
            print(new StatusText(status), stdio);
        } catch (Throwable e) { // also one of the JVM: never a trace and an exit code that says something else
            level = Level.UNKNOWN;
            String failure = failure(e);
            try {
                write(StatusMetrics.failed(now));
            } catch (IOException | RuntimeException more) {
                failure += failure.equals(failure(more)) ? "" : "; " + failure(more);
            }
            failed(failure, stdio);
        }
        return switch (level) {
            case OK -> ExitCode.OK;
            case WARNING -> ExitCode.MONITOR_WARNING;
            case CRITICAL -> ExitCode.MONITOR_CRITICAL;
            case UNKNOWN -> ExitCode.MONITOR_UNKNOWN;
        };
    }

    private void write(String metrics) throws IOException {
        if (prometheus != null) {
            MetricsFile.replace(prometheus, metrics.getBytes(StandardCharsets.UTF_8));
        }
    }

    private void print(StatusText text, Stdio stdio) {
        if (json.asked()) {
            try (JsonText out = new JsonText(stdio.out())) {
                text.print(out);
            }
        } else {
            text.print(stdio.out(), verbose);
        }
    }

    private void failed(String failure, Stdio stdio) {
        if (json.asked()) {
            try (JsonText out = new JsonText(stdio.out())) {
                out.object().member("level", Level.UNKNOWN.name()).member("failure", failure).end();
            }
        } else {
            stdio.out().println("VARVE UNKNOWN - " + StatusText.plain(failure));
        }
    }

    private static String failure(Throwable e) {
        Throwable cause = e instanceof UncheckedIOException io && io.getCause() != null ? io.getCause() : e;
        boolean says = cause instanceof IOException || cause instanceof UsageException || cause instanceof IllegalArgumentException;
        return Printable.line(Optional.ofNullable(cause.getMessage()).filter(message -> says).orElse(cause.toString()));
    }
}
