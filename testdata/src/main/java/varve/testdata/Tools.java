package varve.testdata;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/// Programs of others that vouch for what we say, such as `zstd` and `b3sum`. A test whose program is not there is skipped.
public final class Tools {

    /// What a program that has ended left behind.
    public record Output(int exitCode, byte[] bytes, String errors) {

        /// {@return what it wrote to standard output, without white space around it}
        public String text() {
            return new String(bytes, StandardCharsets.UTF_8).strip();
        }

        /// {@return this}
        ///
        /// @throws IOException if the exit code is not 0
        public Output expectSuccess() throws IOException {
            if (exitCode != 0) {
                throw new IOException("exit code " + exitCode + ": " + errors.strip());
            }
            return this;
        }
    }

    private Tools() {
    }

    /// {@return where a program is: in a folder of `PATH`, or among those of the administrator}
    public static Optional<Path> find(String name) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.concat(Arrays.stream(path.split(":")), Stream.of("/usr/sbin", "/sbin"))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst();
    }

    /// Runs a program to its end.
    ///
    /// @param command its name, found as [#find] does, and its arguments; paths are taken as they are
    /// @return nothing if it is not installed
    public static Optional<Output> run(Object... command) throws IOException {
        return runWith(new byte[0], command);
    }

    /// Likewise, with bytes for its standard input.
    public static Optional<Output> runWith(byte[] input, Object... command) throws IOException {
        List<String> words = Arrays.stream(command).map(Object::toString).toList();
        Optional<Path> program = find(words.getFirst());
        return program.isEmpty() ? Optional.empty() : Optional.of(execute(program.get(), words, input));
    }

    /// {@return the BLAKE3 hash of a file or device, as the program `b3sum` prints it}
    public static Optional<String> b3sum(Path file) throws IOException {
        Optional<Output> output = run("b3sum", "--no-names", "--", file);
        return output.isEmpty() ? Optional.empty() : Optional.of(output.get().expectSuccess().text());
    }

    /// {@return what `zstd -dc` makes of a file}
    public static Optional<byte[]> unzstd(Path file) throws IOException {
        Optional<Output> output = run("zstd", "-dcq", "--", file);
        return output.isEmpty() ? Optional.empty() : Optional.of(output.get().expectSuccess().bytes());
    }

    private static Output execute(Path program, List<String> words, byte[] input) throws IOException {
        List<String> command = new ArrayList<>(words);
        command.set(0, program.toString());
        Process process = new ProcessBuilder(command).start();
        try {
            CompletableFuture<String> errors =
                    CompletableFuture.supplyAsync(() -> errorsOf(process), Thread::startVirtualThread);
            Thread.startVirtualThread(() -> feed(process, input));
            byte[] bytes = process.getInputStream().readAllBytes();
            return new Output(process.waitFor(), bytes, errors.join());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(words + ": interrupted", e);
        } finally {
            process.destroy();
        }
    }

    private static String errorsOf(Process process) {
        try {
            return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void feed(Process process, byte[] input) {
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input);
        } catch (IOException e) {
            // the program did not want all of it; what it says counts
        }
    }
}
