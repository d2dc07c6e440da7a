package varve.archive.cli;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.snapshot.Hooks;

/// What is to be done before and after a run.
final class HookOptions {

    @Option(names = "--before", paramLabel = "COMMAND",
            description = "Run this by sh first; if it fails, nothing is archived.")
    private @Nullable String before;

    @Option(names = "--after", paramLabel = "COMMAND",
            description = "Run this by sh at the end, also if the run failed; VARVE_RESULT says how it ended.")
    private @Nullable String after;

    @Option(names = "--hook-timeout", paramLabel = "SECONDS",
            description = "How long --before and --after may take, each. Default: 600.")
    private long timeout = Hooks.DEFAULT_LIMIT.toSeconds();

    Hooks read() {
        return new Hooks(Optional.ofNullable(before), Optional.ofNullable(after), SnapshotOptions.seconds("--hook-timeout", timeout));
    }
}
