package varve.archive.cli;

import picocli.CommandLine.Option;

/// Whether a long run says how far it is: it does unless `--quiet`.
public final class ProgressOption {
    @Option(names = {"-q", "--quiet"}, description = "Do not show progress.")
    private boolean quiet;

    /// Starts the progress of one task.
    ///
    /// @param task what is being done to what: `archive tools`
    /// @param total bytes to do, or -1 if that is not known
    public Progress start(Stdio stdio, String task, long total) {
        return quiet ? Progress.silent() : Progress.of(stdio, task, total);
    }
}
