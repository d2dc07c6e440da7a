package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// `varve` as a process of its own, which can be killed, traced and measured. Closing it kills it.
final class VarveProcess implements AutoCloseable {

    /// starts fast, compiles little
    static final List<String> QUICK = List.of(
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData", "-Xmx256m",
            "--enable-native-access=ALL-UNNAMED");

    /// what the launcher gives to commands that read whole devices
    static final List<String> BULK = List.of(
            "-XX:+UseSerialGC", "-Xmx256m", "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector");

    private static final int KILLED = 128 + 9;

    private final Process process;
    private final Path out;
    private final Path err;

    /// How it ended.
    ///
    /// @param code as a shell sees it: 137 for one that was killed
    record Ended(int code, String out, String err) {

        boolean killed() {
            return code == KILLED;
        }

        /// {@return the one line of error that it printed}
        String error() {
            List<String> lines = err.lines().filter(line -> line.startsWith("varve: ") && !line.startsWith("varve: warning: ")
                    && !line.startsWith("varve: archive ")).toList();
            assertEquals(1, lines.size(), () -> "expected one line of error, found: " + err);
            assertEquals(0, err.lines().filter(line -> line.startsWith("\tat ")).count(), err);
            return lines.getFirst();
        }

        Ended expect(int expected) {
            assertEquals(expected, code, () -> out + err);
            return this;
        }
    }

    private VarveProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    static VarveProcess start(Object... arguments) throws IOException {
        return start(List.of(), QUICK, arguments);
    }

    /// @param before words in front of the command line, such as those of strace
    /// @param jvm options of the JVM
    static VarveProcess start(List<String> before, List<String> jvm, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvm);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "varve.archive.cli.Main"));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        Path out = Files.createTempFile("varve", ".out");
        Path err = Files.createTempFile("varve", ".err");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("VARVE_"));
        return new VarveProcess(builder.start(), out, err);
    }

    /// Runs it to its end.
    static Ended run(Object... arguments) throws IOException, InterruptedException {
        try (VarveProcess varve = start(arguments)) {
            return varve.end();
        }
    }

    boolean alive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    /// SIGKILL.
    Ended kill() throws IOException, InterruptedException {
        process.destroyForcibly();
        return end();
    }

    /// SIGTERM.
    Ended terminate() throws IOException, InterruptedException {
        process.destroy();
        return end();
    }

    /// Waits until it has ended.
    Ended end() throws IOException, InterruptedException {
        if (!process.waitFor(10, TimeUnit.MINUTES)) {
            throw new AssertionError("does not end: " + process.info().commandLine().orElse(""));
        }
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /// Waits until something is so, or the process has ended.
    ///
    /// @return whether it is still running
    boolean await(Condition condition) throws IOException {
        while (alive() && !condition.holds()) {
            LockSupport.parkNanos(100_000);
        }
        return alive();
    }

    interface Condition {
        boolean holds() throws IOException;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        process.destroyForcibly().waitFor();
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
    }
}
