package varve.archive.snapshot;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// What the operator wants done around a run: command lines for `sh`.
///
/// @param before the run; if it fails, nothing is archived
/// @param after the run, however it ended
/// @param limit for each
public record Hooks(Optional<String> before, Optional<String> after, Duration limit) {

    public static final Duration DEFAULT_LIMIT = Duration.ofMinutes(10);
    public static final Hooks NONE = new Hooks(Optional.empty(), Optional.empty(), DEFAULT_LIMIT);

    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    public boolean any() {
        return before.isPresent() || after.isPresent();
    }

    /// Runs a command line to its end.
    ///
    /// @param name of the option, for messages
    /// @param environment besides that of varve
    /// @param said gets each line that it prints
    /// @throws ProgramException if its exit status is not 0, or it does not end in time
    public void run(String name, String command, Map<String, String> environment, Consumer<String> said) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(List.of("/bin/sh", "-c", command)).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            Thread talk = Thread.startVirtualThread(() -> pass(process, said));
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                Program.stop(process);
            }
            talk.join(LAST_WORDS); // what it has started in the background may hold on to its stdout
            if (!ended) {
                throw new ProgramException(name + ": has not ended within " + limit.toSeconds() + " s and was stopped: " + command);
            }
            if (process.exitValue() != 0) {
                throw new ProgramException(name + ": exit status " + process.exitValue() + ": " + command);
            }
        } finally {
            Program.stop(process);
        }
    }

    private static void pass(Process process, Consumer<String> said) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                said.accept(line);
            }
        } catch (IOException e) {
            // it was stopped
        }
    }
}
