package varve.testdata;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// `varve` as a process of its own, which can be killed, traced and measured: the program on the class path of the test.
/// Closing it kills it.
public final class VarveProcess implements AutoCloseable {

    /// starts fast, compiles little, under any kernel
    static final List<String> ANYWHERE = List.of(
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx256m", "-Xmn8m",
            "--enable-native-access=ALL-UNNAMED");

    /// starts fast, compiles little
    public static final List<String> QUICK = Stream.concat(ANYWHERE.stream(), largePages()).toList();

    /// what the launcher gives to commands that read whole devices, on a processor for which there is no machine code that hashes
    public static final List<String> BULK = List.of(
            "-XX:+UseSerialGC", "-Xmx256m", "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector");

    private static final int KILLED = 128 + 9;

    private final Process process;
    private final Path out;
    private final Path err;

    /// How it ended.
    ///
    /// @param code as a shell sees it: 137 for one that was killed
    public record Ended(int code, String out, String err) {

        public boolean killed() {
            return code == KILLED;
        }

        /// {@return the one line of error that it printed}
        public String error() {
            List<String> lines = err.lines()
                    .filter(line -> line.startsWith("varve: ") && !line.matches("varve: (warning|(archive|copy) [^:]*): .*"))
                    .toList();
            if (lines.size() != 1 || err.contains("\n\tat ")) {
                throw new AssertionError("expected one line of error, found: " + err);
            }
            return lines.getFirst();
        }

        /// {@return this, if it ended so}
        public Ended expect(int expected) {
            if (code != expected) {
                throw new AssertionError("expected exit code " + expected + ", found " + code + ": " + out + err);
            }
            return this;
        }
    }

    private VarveProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    private static Stream<String> largePages() {
        try {
            boolean there = !Files.readString(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")).contains("[never]");
            return there ? Stream.of("-XX:+UseTransparentHugePages") : Stream.of();
        } catch (IOException e) {
            return Stream.of();
        }
    }

    /// {@return the words before the arguments of a `varve` of its own}
    ///
    /// @param jvm options of the JVM
    public static List<String> command(List<String> jvm) {
        List<String> words = new ArrayList<>(java(jvm));
        words.add("varve.archive.cli.Main");
        return words;
    }

    /// {@return the words before the main class of a JVM that has the class path of the test}
    static List<String> java(List<String> jvm) {
        return java(jvm, ClassArchive.OPTIONS);
    }

    static List<String> java(List<String> jvm, List<String> classes) {
        List<String> words = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        words.addAll(jvm);
        words.addAll(classes);
        return words;
    }

    public static VarveProcess start(Object... arguments) throws IOException {
        return start(List.of(), QUICK, arguments);
    }

    /// @param before words in front of the command line, such as those of strace
    /// @param jvm options of the JVM
    public static VarveProcess start(List<String> before, List<String> jvm, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.addAll(command(jvm));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        Path out = Files.createTempFile("varve", ".out");
        Path err = Files.createTempFile("varve", ".err");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("VARVE_"));
        return new VarveProcess(builder.start(), out, err);
    }

    /// Runs it to its end.
    public static Ended run(Object... arguments) throws IOException, InterruptedException {
        try (VarveProcess varve = start(arguments)) {
            return varve.end();
        }
    }

    public boolean alive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /// SIGKILL.
    public Ended kill() throws IOException, InterruptedException {
        process.destroyForcibly();
        return end();
    }

    /// SIGTERM.
    public Ended terminate() throws IOException, InterruptedException {
        process.destroy();
        return end();
    }

    /// SIGSTOP.
    public void suspend() throws IOException, InterruptedException {
        signal("STOP");
    }

    /// SIGCONT.
    public void resume() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid()).inheritIO().start().waitFor();
    }

    /// Waits until it has ended.
    public Ended end() throws IOException, InterruptedException {
        if (!process.waitFor(10, TimeUnit.MINUTES)) {
            throw new AssertionError("does not end: " + process.info().commandLine().orElse(""));
        }
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /// Waits until somebody listens on a Unix socket, or the process has ended.
    ///
    /// @return whether it is still running
    public boolean awaitSocket(Path socket) throws Exception {
        return await(() -> {
            try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                return channel.isConnected();
            } catch (IOException e) {
                return false;
            }
        });
    }

    /// Waits until something is so, or the process has ended.
    ///
    /// @return whether it is still running
    public boolean await(Condition condition) throws Exception {
        while (alive() && !condition.holds()) {
            LockSupport.parkNanos(500_000);
        }
        return alive();
    }

    public interface Condition {
        boolean holds() throws Exception;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        process.destroyForcibly().waitFor();
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
    }
}
