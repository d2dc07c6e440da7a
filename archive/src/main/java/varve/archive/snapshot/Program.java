package varve.archive.snapshot;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Runs programs of others: found in `PATH` or among those of the administrator, with an array of arguments and no shell, in the
/// locale `C`, with nothing on their stdin, and for a limited time. What they say on stderr goes into the message if they fail.
///
/// @param limit after which a program is stopped: SIGTERM, and SIGKILL if that does not help
public record Program(Duration limit) {

    public static final Duration DEFAULT_LIMIT = Duration.ofMinutes(15);

    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final int MOST_OUTPUT = 64 << 20;
    private static final int MOST_ERRORS = 1000;
    private static final List<String> ADMINISTRATORS = List.of("/usr/sbin", "/sbin", "/usr/local/sbin");

    /// what a program is in, where that is not plain from its name
    private static final Map<String, String> PACKAGES = Map.of(
            "lvs", "lvm2", "lvcreate", "lvm2", "lvremove", "lvm2", "lvchange", "lvm2", "dmsetup", "dmsetup",
            "thin_delta", "thin-provisioning-tools", "rbd", "ceph-common", "drbdadm", "drbd-utils", "drbdsetup", "drbd-utils");

    /// Takes what a program prints.
    interface Reader<T> {
        T read(InputStream out) throws IOException;
    }

    /// Runs a program to its end.
    ///
    /// @param command its name and its arguments
    /// @return what it printed
    /// @throws ProgramException if it fails, or does not end in time
    /// @throws NoSuchFileException if it is not installed
    String run(String... command) throws IOException, InterruptedException {
        return read(Arrays.asList(command), out -> {
            byte[] bytes = out.readNBytes(MOST_OUTPUT);
            return new String(bytes, StandardCharsets.UTF_8);
        });
    }

    /// Runs a program and has its output read while it runs.
    ///
    /// @param reader whose exceptions count only if the program itself did not fail
    <T> T read(List<String> command, Reader<T> reader) throws IOException, InterruptedException {
        Process process = builder(command).start();
        AtomicBoolean late = new AtomicBoolean();
        try {
            CompletableFuture<String> errors = CompletableFuture.supplyAsync(() -> tail(process.getErrorStream()), Thread::startVirtualThread);
            Thread.startVirtualThread(() -> {
                if (!ends(process, limit)) {
                    late.set(true);
                    stop(process);
                }
            });
            process.getOutputStream().close();
            @Nullable T result = null;
            @Nullable Exception trouble = null;
            try {
                result = reader.read(new StaysOpen(process.getInputStream()));
                process.getInputStream().transferTo(OutputStream.nullOutputStream()); // else it might be told that nobody listens
            } catch (IOException | RuntimeException e) {
                trouble = e;
                process.getInputStream().close(); // nobody reads any more: it need not go on
            }
            int code = process.waitFor();
            check(command, late.get(), code, trouble, errors);
            return result;
        } finally {
            stop(process);
        }
    }

    /// A stream that parsers cannot close.
    private static final class StaysOpen extends FilterInputStream {

        StaysOpen(InputStream in) {
            super(in);
        }

        @Override
        public void close() {}
    }

    private void check(List<String> command, boolean late, int code, @Nullable Exception trouble, CompletableFuture<String> errors)
            throws IOException, InterruptedException {
        if (late) {
            throw new ProgramException(words(command) + ": has not ended within " + limit.toSeconds() + " s and was stopped" + said(errors));
        }
        if (trouble == null || code != 0 && code != 128 + 13) { // of a reader that went away it gets SIGPIPE
            if (code != 0) {
                throw new ProgramException(words(command) + ": exit status " + code + said(errors));
            }
            return;
        }
        switch (trouble) {
            case IOException e -> throw e;
            case IllegalArgumentException e -> throw new ProgramException(words(command) + ": printed what was not expected: " + e.getMessage());
            default -> throw new IllegalStateException(trouble);
        }
    }

    private static String said(CompletableFuture<String> errors) throws InterruptedException {
        try {
            String text = errors.get(GRACE.toSeconds(), TimeUnit.SECONDS);
            return text.isEmpty() ? "" : ": " + text;
        } catch (ExecutionException | TimeoutException e) {
            return ""; // a child of it has its stderr, and goes on
        }
    }

    static String words(List<String> command) {
        return String.join(" ", command);
    }

    private static ProcessBuilder builder(List<String> command) throws IOException {
        List<String> words = new ArrayList<>(command);
        words.set(0, find(command.getFirst()).toString());
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.environment().put("LC_ALL", "C");
        builder.environment().put("PATH", folders().collect(Collectors.joining(File.pathSeparator)));
        return builder;
    }

    private static Stream<String> folders() {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        return Stream.concat(Arrays.stream(path.split(File.pathSeparator)).filter(folder -> !folder.isEmpty()), ADMINISTRATORS.stream())
                .distinct();
    }

    /// {@return whether a program is installed}
    static boolean has(String name) {
        return place(name) != null;
    }

    private static Path find(String name) throws NoSuchFileException {
        Path place = place(name);
        if (place == null) {
            throw new NoSuchFileException(name, null, "this program is needed and not installed"
                    + (PACKAGES.containsKey(name) ? "; it is in the package " + PACKAGES.get(name) : ""));
        }
        return place;
    }

    private static @Nullable Path place(String name) {
        return folders().map(folder -> Path.of(folder, name))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst()
                .orElse(null);
    }

    private static String tail(InputStream errors) {
        try (errors) {
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            byte[] room = new byte[MOST_ERRORS];
            for (int count = errors.read(room); count >= 0; count = errors.read(room)) {
                if (text.size() > 1 << 16) {
                    text.reset();
                }
                text.write(room, 0, count);
            }
            String all = text.toString(StandardCharsets.UTF_8).lines().map(String::strip).filter(line -> !line.isEmpty())
                    .collect(Collectors.joining("; "));
            return all.length() <= MOST_ERRORS ? all : "... " + all.substring(all.length() - MOST_ERRORS);
        } catch (IOException e) {
            return "";
        }
    }

    private static boolean ends(Process process, Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    /// Stops a program and what it has started.
    static void stop(Process process) {
        if (!process.isAlive()) {
            return;
        }
        List<ProcessHandle> children = process.descendants().toList();
        children.forEach(ProcessHandle::destroy);
        process.destroy();
        if (!ends(process, GRACE)) {
            process.destroyForcibly();
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
