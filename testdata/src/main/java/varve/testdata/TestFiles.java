package varve.testdata;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The committed files of the folder `testdata`: golden and bad volumes, and the reader in Python.
public final class TestFiles {
    private static final Pattern POINT = Pattern.compile(
            "\"time\": \"([^\"]+)\",\\s*\"archive\": \"([^\"]+)\",\\s*\"size\": (\\d+),\\s*\"root\": \"([0-9a-f]{64})\"");

    /// A volume that other tools vouch for; every reader accepts it.
    ///
    /// @param folder named as the volume
    /// @param points the oldest first
    public record GoldenVolume(Path folder, List<GoldenPoint> points) {
        @Override
        public String toString() {
            return folder.getFileName().toString();
        }
    }

    /// What b3sum said of the image of a point in time.
    ///
    /// @param archive name of the data file
    public record GoldenPoint(String time, String archive, long size, String root) {
    }

    /// A volume that breaks one rule of FORMAT.md.
    ///
    /// @param folder named as the volume
    /// @param rule such as `F013`
    /// @param what what was done to it
    /// @param also a rule that a reader finds broken if it overlooks the other; nothing if all is well then, or if it
    /// can read no further
    public record BadVolume(Path folder, String rule, String what, Optional<String> also) {
        @Override
        public String toString() {
            return folder.getFileName().toString();
        }
    }

    private TestFiles() {
    }

    /// {@return the project's folder `testdata`, which lies beside the working directory or above}
    public static Path root() {
        Path start = Path.of("").toAbsolutePath();
        for (Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("testdata/golden"))) {
                return folder.resolve("testdata");
            }
        }
        throw new IllegalStateException("no testdata/golden in " + start + " or above");
    }

    /// {@return the reader of varve archives that is written in Python: `list VOLUME`, `restore VOLUME POINT TARGET`,
    /// `verify VOLUME`}
    public static Path pythonReader() {
        return root().resolve("varve_reader.py");
    }

    /// {@return a reader of the zstd seekable format that knows nothing of varve, written in Python:
    /// `list FILE`, `read FILE OFFSET SIZE`, `check FILE`}
    public static Path seekableReader() {
        return root().resolve("seekable.py");
    }

    /// {@return a secret key, for which the golden and bad volumes are sealed that are sealed}
    public static Path identity() {
        return root().resolve("age/identity.txt");
    }

    public static List<GoldenVolume> golden() throws IOException {
        return volumes("golden", folder -> new GoldenVolume(folder, points(folder.resolve("expect.json"))));
    }

    public static List<BadVolume> bad() throws IOException {
        return volumes("bad", folder -> {
            List<String> lines = Files.readAllLines(folder.resolve("expect.txt"));
            Optional<String> also = lines.stream().skip(2).map(line -> line.replace("also: ", "")).findFirst();
            return new BadVolume(folder, lines.get(0), lines.get(1), also);
        });
    }

    private static List<GoldenPoint> points(Path file) throws IOException {
        return POINT.matcher(Files.readString(file)).results()
                .map(m -> new GoldenPoint(m.group(1), m.group(2), Long.parseLong(m.group(3)), m.group(4)))
                .toList();
    }

    private static <V> List<V> volumes(String kind, Reading<V> reading) throws IOException {
        try (Stream<Path> folders = Files.list(root().resolve(kind))) {
            return folders.filter(Files::isDirectory).sorted().map(reading::unchecked).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private interface Reading<V> {
        V read(Path folder) throws IOException;

        default V unchecked(Path folder) {
            try {
                return read(folder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
