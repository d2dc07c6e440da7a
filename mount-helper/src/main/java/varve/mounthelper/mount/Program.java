package varve.mounthelper.mount;

import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// Programs of the system that know how to mount: run to their end, in plain English.
final class Program {

    private Program() {}

    /// {@return what it says when it fails, in one line; nothing if all is well}
    /// @throws IOException if it cannot be started
    static Optional<String> run(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C");
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            int code = process.waitFor();
            return code == 0 ? Optional.empty() : Optional.of(output.isEmpty() ? command.getFirst() + ": exit code " + code : output.lines().findFirst().orElseThrow());
        } catch (InterruptedException e) {
            process.destroy();
            throw new InterruptedIOException(command.getFirst() + ": interrupted");
        }
    }
}
