package varve.archive.snapshot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.testdata.Guest;
import varve.testdata.VarveProcess;

/// What a test of snapshots works with on a machine that has the storage: its programs, `varve` in this process, and `varve` in another one
/// that is killed at the n-th program that it calls.
final class Machine {

    private static final int KILLED = 137;

    final Path vault;
    final Map<String, String> environment = new HashMap<>();
    private final Path folder;

    /// How a run of `varve` ended.
    record Ended(int code, String out, String err) {

        Ended expect(ExitCode expected) {
            if (code != expected.number()) {
                throw new AssertionError("expected " + expected + ", found " + code + ": " + out + err);
            }
            return this;
        }

        Ended says(String text) {
            if (!(out + err).contains(text)) {
                throw new AssertionError("does not say \"" + text + "\": " + out + err);
            }
            return this;
        }

        /// {@return a member of the JSON that it printed}
        String member(String name) {
            Matcher matcher = Pattern.compile("\"" + name + "\": *\"?([^\",\\n]*)\"?").matcher(out);
            if (!matcher.find()) {
                throw new AssertionError("no " + name + " in " + out + err);
            }
            return matcher.group(1);
        }
    }

    /// @param folder that can be written to
    Machine(Path folder) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.vault = folder.resolve("vault");
    }

    /// {@return what a program prints} It has to succeed.
    static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes());
        if (!process.waitFor(5, TimeUnit.MINUTES) || process.exitValue() != 0) {
            throw new AssertionError(Arrays.toString(command) + ": " + out);
        }
        return out.strip();
    }

    static String shell(String script) throws IOException, InterruptedException {
        return run("sh", "-ec", script);
    }

    /// {@return the snapshots in a volume group that varve has taken}
    static List<String> ours(String group) throws IOException, InterruptedException {
        return run("lvs", "--noheadings", "-o", "lv_name,lv_tags", group).lines()
                .filter(line -> line.contains("varve.vault="))
                .map(line -> line.strip().split(" +")[0])
                .toList();
    }

    static String b3sum(String file) throws IOException, InterruptedException {
        return run("b3sum", "--no-names", file);
    }

    static void equal(Object expected, Object found, String what) {
        if (!expected.equals(found)) {
            throw new AssertionError(what + ": expected " + expected + ", found " + found);
        }
    }

    static void step(String what) {
        System.out.printf("%7.1f s  %s%n", System.nanoTime() / 1e9 % 1e5, what);
    }

    /// Runs `varve` in this process.
    Ended varve(Object... arguments) {
        List<String> words = words(arguments);
        Captured captured = new Captured();
        ExitCode code = Main.run(captured.stdio(0), words.toArray(String[]::new));
        return new Ended(code.number(), captured.out(), captured.err());
    }

    private List<String> words(Object... arguments) {
        List<String> words = new ArrayList<>(Arrays.stream(arguments).map(Object::toString).toList());
        words.addAll(1, List.of("--vault", vault.toString()));
        return words;
    }

    /// Has the programs of a machine counted, whoever calls them. A folder with the wrappers has to come first in `PATH`.
    ///
    /// @param bin that folder
    Counted count(Path bin, List<String> tools) throws IOException, InterruptedException {
        Files.createDirectories(bin);
        List<Path> wrappers = new ArrayList<>();
        for (String tool : tools) {
            String real = run("sh", "-c", "PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v " + tool);
            Path wrapper = Files.writeString(bin.resolve(tool), """
                    #!/bin/sh
                    echo "%2$s $1" >>%1$s/calls
                    n=0
                    while read -r line; do n=$((n + 1)); done <%1$s/calls
                    if [ -e %1$s/kill ]; then
                        read -r kill <%1$s/kill
                        if [ "$kill" = $n ] || [ "$kill" = "%2$s $1" ]; then kill -9 $PPID; exit 1; fi
                    fi
                    exec %3$s "$@"
                    """.formatted(folder, tool, real));
            Files.setPosixFilePermissions(wrapper, PosixFilePermissions.fromString("rwxr-xr-x"));
            wrappers.add(wrapper);
        }
        return new Counted(bin, wrappers);
    }

    /// Programs whose calls are counted until this is closed.
    final class Counted implements AutoCloseable {

        private final Path bin;
        private final List<Path> wrappers;

        private Counted(Path bin, List<Path> wrappers) {
            this.bin = bin;
            this.wrappers = wrappers;
        }

        /// {@return what is called in a run of `varve` in this process, if that finds the wrappers, and then forgets}
        List<String> calls() throws IOException {
            Path file = folder.resolve("calls");
            List<String> calls = Files.exists(file) ? Files.readAllLines(file) : List.of();
            Files.deleteIfExists(file);
            return calls;
        }

        /// Runs `varve` in a process of its own, which is killed just before a program that it calls.
        ///
        /// @param before the n-th, or name and first word of one
        /// @return whether it came so far
        boolean killed(Object before, Object... arguments) throws IOException, InterruptedException {
            calls();
            Path kill = Files.writeString(folder.resolve("kill"), before + "\n");
            Ended ended = process(Map.of("PATH", bin + ":" + System.getenv("PATH")), words(arguments));
            Files.delete(kill);
            calls();
            if (ended.code != KILLED) {
                ended.expect(ExitCode.OK);
            }
            return ended.code == KILLED;
        }

        @Override
        public void close() throws IOException {
            for (Path wrapper : wrappers) {
                Files.delete(wrapper);
            }
        }
    }

    /// Runs `varve` in a process of its own, in the environment of this machine.
    Ended varveProcess(Object... arguments) throws IOException, InterruptedException {
        return process(Map.of(), words(arguments));
    }

    private Ended process(Map<String, String> more, List<String> words) throws IOException, InterruptedException {
        List<String> jvm = new ArrayList<>(Guest.JVM);
        jvm.add("-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"));
        List<String> command = VarveProcess.command(jvm);
        command.addAll(words);
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("VARVE_"));
        builder.environment().putAll(environment);
        builder.environment().putAll(more);
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes());
        return new Ended(process.waitFor(), out, Files.readString(err));
    }
}
