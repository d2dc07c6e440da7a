package varve.archive.cli;

import java.time.Duration;
import picocli.CommandLine.Option;

/// How long to wait for another run: `--lock-wait`.
public final class LockWaitOption {
    private static final long MOST = Duration.ofDays(365).toSeconds();

    @Option(names = "--lock-wait", paramLabel = "SECONDS",
            description = "How long to wait for another run on the same volume. Default: 0.")
    private long seconds;

    /// @throws UsageException if it is negative, or more than a year
    public Duration duration() {
        if (seconds < 0 || seconds > MOST) {
            throw new UsageException("--lock-wait " + seconds + ": expected 0 to " + MOST);
        }
        return Duration.ofSeconds(seconds);
    }
}
