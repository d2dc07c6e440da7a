package varve.verify.cli;

import varve.archive.cli.Progress;
import varve.archive.cli.ProgressOption;
import varve.archive.cli.Stdio;
import varve.verify.work.Watcher;

/// Shows the user how far a verification is, each part from when it is known how much there is to do.
final class ProgressWatcher implements Watcher, AutoCloseable {

    private final ProgressOption option;
    private final Stdio stdio;
    private Progress progress = Progress.silent();

    ProgressWatcher(ProgressOption option, Stdio stdio) {
        this.option = option;
        this.stdio = stdio;
    }

    @Override
    public void begin(String task, long bytes) {
        close();
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
