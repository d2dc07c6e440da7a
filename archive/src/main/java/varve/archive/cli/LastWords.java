package varve.archive.cli;

import java.io.IOException;
import java.util.function.Consumer;

/// What a long run has to say when it is ended before it is done: on a signal, or on an error, before the error itself is shown.
public final class LastWords {

    private LastWords() {}

    /// The run.
    public interface Work {
        void run() throws IOException, InterruptedException;
    }

    /// Runs `work`.
    ///
    /// @param onSignal called if the process is ended meanwhile, by a thread of its own
    /// @param onError called if the work fails
    public static void around(Work work, Runnable onSignal, Consumer<IOException> onError) throws IOException, InterruptedException {
        Thread hook = new Thread(onSignal);
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            work.run();
        } catch (IOException e) {
            onError.accept(e);
            throw e;
        } finally {
            remove(hook);
        }
    }

    private static void remove(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // it is running
        }
    }
}
