package varve.mounthelper.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A `varve` that serves in the background: the same program as this one, in a session of its own, so that it goes on when this one and
/// its terminal have gone.
///
/// @param pid its number
/// @param started when, in the kernel's own terms: another process may get its number, but not at the same time
record Server(long pid, String started) {

    private static final String MAIN = "varve.archive.cli.Main";
    private static final Path PROC = Path.of("/proc");

    /// Starts one.
    ///
    /// @param arguments as on a command line
    /// @param log takes what it says
    static Process start(List<String> arguments, Path log) throws IOException {
        List<String> command = new ArrayList<>(List.of("setsid"));
        command.addAll(ourselves());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .directory(Path.of("/").toFile()); // it keeps no disk busy
        builder.environment().keySet().removeAll(List.of("VARVE_STDERR", "NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS"));
        return builder.start();
    }

    static Server of(Process process) {
        return new Server(process.pid(), state(process.pid()).map(State::started).orElse(""));
    }

    /// {@return how this process was started, to the class that is its program}
    private static List<String> ourselves() throws IOException {
        String[] words = Files.readString(PROC.resolve("self/cmdline"), StandardCharsets.UTF_8).split("\0");
        int main = Arrays.asList(words).indexOf(MAIN);
        if (main < 0) {
            throw new IOException("this process is no varve of its own, so another cannot be started in the background");
        }
        List<String> command = new ArrayList<>(Arrays.asList(words).subList(0, main + 1));
        command.set(0, Files.readSymbolicLink(PROC.resolve("self/exe")).toString());
        return command;
    }

    /// @param code `R`, `S`, ...; `Z` when it has ended
    private record State(String code, String started) {}

    /// proc_pid_stat(5), whose second field may hold anything
    private static Optional<State> state(long pid) {
        try {
            String line = Files.readString(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
            String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
            return Optional.of(new State(fields[0], fields[19]));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    boolean alive() {
        return state(pid).filter(state -> state.started.equals(started) && !state.code.equals("Z") && !state.code.equals("X")).isPresent();
    }

    /// Asks it to end.
    void end() {
        if (alive()) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
        }
    }

    /// Waits until it has ended; after a while, it is made to.
    void awaitEnd(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (alive()) {
            if (System.nanoTime() - end > 0) {
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            }
            Thread.sleep(10);
        }
    }
}
