package varve.archive.sign;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.file.Folder;

/// The public keys that a host believes, each for one volume or for all.
///
/// A text file, one key a line: the name of a volume or `*`, a space, the key as minisign writes it. What is behind a `#` is for
/// people. It lies on the host and not in a vault, since whoever can write to a vault could add to it.
///
/// @param entries in the order of the file
public record Trust(List<Entry> entries) {

    public static final Trust NONE = new Trust(List.of());

    private static final int MAX_SIZE = 1 << 20;
    private static final String ALL = "*";
    private static final Pattern SPACE = Pattern.compile("\\s+");

    /// A key that is believed.
    ///
    /// @param volume its name, or `*`
    public record Entry(String volume, PublicKey key) {
        boolean covers(String other) {
            return volume.equals(ALL) || volume.equals(other);
        }
    }

    public Trust {
        entries = List.copyOf(entries);
    }

    /// Reads a file. Where there is none, nobody is believed.
    ///
    /// @throws UntrustedException if a line is not understood: to pass over it might be to believe too much
    public static Trust read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return NONE;
        }
        byte[] text = Folder.read(file, MAX_SIZE);
        if (text.length > MAX_SIZE) {
            throw new UntrustedException(file + ": more than " + MAX_SIZE + " bytes");
        }
        List<Entry> entries = new ArrayList<>();
        int number = 0;
        for (String line : new String(text, StandardCharsets.UTF_8).lines().toList()) {
            number++;
            String words = line.replaceFirst("#.*", "").strip();
            if (!words.isEmpty()) {
                entries.add(entry(words, file + ": line " + number));
            }
        }
        return new Trust(entries);
    }

    private static Entry entry(String words, String where) throws UntrustedException {
        String[] parts = SPACE.split(words);
        try {
            if (parts.length == 2) {
                return new Entry(parts[0], new PublicKey(parts[1]));
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new UntrustedException(where + ": expected the name of a volume or *, and a public key of minisign; found \"" + words + "\"");
    }

    /// Writes a file, atomically.
    public void write(Path file) throws IOException {
        String text = entries.stream()
                .map(entry -> entry.volume + " " + entry.key.text() + " # " + entry.key.id() + "\n")
                .collect(Collectors.joining());
        Folder.create(file.toAbsolutePath().getParent());
        Folder.replace(file, ("# public keys that varve believes on this host: see varve-trust(1)\n" + text).getBytes(StandardCharsets.UTF_8));
    }

    /// {@return the keys that are believed for a volume}
    public List<PublicKey> keys(String volume) {
        return entries.stream().filter(entry -> entry.covers(volume)).map(Entry::key).distinct().toList();
    }

    /// {@return the same and another key}
    public Trust with(Entry entry) {
        return entries.contains(entry) ? this : new Trust(Stream.concat(entries.stream(), Stream.of(entry)).toList());
    }

    /// {@return the same without a key}
    public Trust without(Entry entry) {
        return new Trust(entries.stream().filter(other -> !other.equals(entry)).toList());
    }

    /// {@return both together}
    public Trust and(Trust other) {
        return new Trust(Stream.concat(entries.stream(), other.entries.stream()).distinct().toList());
    }

    /// {@return where a host keeps it: `VARVE_TRUST`, or else for root `/etc/varve/trust`, for others `varve/trust` in the
    /// folder of their settings}
    public static Path file() {
        return Optional.ofNullable(System.getenv("VARVE_TRUST")).filter(name -> !name.isEmpty()).map(Path::of)
                .orElseGet(() -> System.getProperty("user.name").equals("root") ? OF_HOST : ofUser());
    }

    private static final Path OF_HOST = Path.of("/etc/varve/trust");

    private static Path ofUser() {
        return Optional.ofNullable(System.getenv("XDG_CONFIG_HOME")).filter(name -> !name.isEmpty()).map(Path::of)
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".config"))
                .resolve("varve/trust");
    }

    /// Reads what this host believes: what the administrator says for all, and what the user does. `VARVE_TRUST` stands for both.
    public static Trust ofHost() throws IOException {
        Path file = file();
        return System.getenv("VARVE_TRUST") != null || file.equals(OF_HOST) ? read(file) : read(OF_HOST).and(read(file));
    }
}
