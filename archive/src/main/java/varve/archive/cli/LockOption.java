package varve.archive.cli;

import java.time.Duration;
import picocli.CommandLine.Option;

/// How long to wait for another writer: `--lock-wait SECONDS`.
final class LockOption {
    @Option(names = "--lock-wait", paramLabel = "SECONDS",
            description = "How long to wait for another run on the same volume. Default: 0.")
    private long seconds;

    /// @throws UsageException if it is less than nothing
    Duration time() {
        if (seconds < 0) {
            throw new UsageException("--lock-wait " + seconds + ": expected 0 or more");
        }
        return Duration.ofSeconds(seconds);
    }
}
