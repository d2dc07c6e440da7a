package varve.archive.cli;

import java.time.Duration;
import picocli.CommandLine.Option;

/// How long to wait for another run: `--lock-wait`.
public final class LockWaitOption {
    @Option(names = "--lock-wait", paramLabel = "SECONDS",
            description = "How long to wait for another run on the same volume. Default: 0.")
    private long seconds;

    /// @throws UsageException if it is negative
    public Duration duration() {
        if (seconds < 0) {
            throw new UsageException("--lock-wait " + seconds + ": expected 0 or more");
        }
        return Duration.ofSeconds(seconds);
    }
}
