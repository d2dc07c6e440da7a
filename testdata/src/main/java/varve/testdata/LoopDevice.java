package varve.testdata;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A real block device over a file, by losetup(8). Closed by whoever attached it.
public final class LoopDevice implements AutoCloseable {
    private static final String LOCK = "/dev/loop-control";

    private final Path path;

    private LoopDevice(Path path) {
        this.path = path;
    }

    /// {@return whether this process may attach loop devices here}
    public static boolean available() {
        return "root".equals(System.getProperty("user.name")) && Files.exists(Path.of("/dev/loop-control"));
    }

    /// Attaches a file. One process at a time does: losetup opens a device for writing before it knows that another has taken it, and
    /// who looks at that moment finds it in use.
    ///
    /// @param options of losetup: `-r`, `--sector-size 4096`, ...
    public static LoopDevice attach(Path file, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of("flock", LOCK, "losetup", "--find", "--show"));
        command.addAll(List.of(options));
        command.add(file.toString());
        return new LoopDevice(Path.of(run(command).strip()));
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        run(List.of("losetup", "--detach", path.toString()));
    }

    private static String run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + output.strip());
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException(String.join(" ", command) + ": interrupted", e);
        }
        return output;
    }
}
