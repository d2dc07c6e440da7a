package varve.verify.cli;

import varve.archive.cli.Progress;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Stdio;
import varve.verify.Watcher;

/// Shows the user how far a verification is, from when it is known how much there is to do.
final class ProgressWatcher implements Watcher, AutoCloseable {

    private final ProgressOption option;
    private final Stdio stdio;
    private final String task;
    private Progress progress = Progress.silent();

    ProgressWatcher(ProgressOption option, Stdio stdio, String task) {
        this.option = option;
        this.stdio = stdio;
        this.task = task;
    }

    @Override
    public void begin(long bytes) {
        progress = option.start(stdio, task, bytes);
    }

    @Override
    public void done(long bytes) {
        progress.add(bytes);
    }

    @Override
    public void close() {
        progress.finish();
        progress.close();
    }
}
