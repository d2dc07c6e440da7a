package varve.archive.vault;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// The history of one device in a vault: a folder of archives.
///
/// @param name of the volume
/// @param folder of its archives; there is none before the first archive
public record Volume(String name, Path folder) {

    /// FORMAT.md section 2: other names are no manifests
    private static final Pattern MANIFEST = Pattern.compile("[^.].*\\.\\d{8}T\\d{6}\\.\\d{3}Z\\.([0-9a-f]{8}\\.)?(full|delta)\\.json");

    private static final Comparator<Entry> ORDER = Comparator.<Entry>comparingLong(entry -> entry.manifest().sequence())
            .thenComparing(entry -> entry.manifest().derived())
            .thenComparing(entry -> entry.manifest().baseName());


    /// What is in the folder.
    ///
    /// @param history the archives whose manifests are good
    /// @param problems what is wrong with others
    public record Content(History history, List<Problem> problems) {

        /// {@return the history, if nothing is wrong}
        /// @throws IOException the first problem
        public History sound() throws IOException {
            if (!problems.isEmpty()) {
                throw problems.getFirst().cause();
            }
            return history;
        }
    }

    /// An archive, and the hash of the original manifest of its point.
    private record Entry(StoredArchive archive, Hash original) {
        Manifest manifest() {
            return archive.manifest();
        }
    }

    /// A manifest that is not to be believed.
    ///
    /// @param manifest its file name
    /// @param cause what is wrong with it; the message names the file
    public record Problem(String manifest, IOException cause) {}

    /// {@return whether a file of that name is a manifest}
    static boolean isManifest(String file) {
        return file.endsWith(".json") && MANIFEST.matcher(file).matches();
    }

    public boolean exists() {
        return Files.isDirectory(folder);
    }

    /// Reads all manifests.
    ///
    /// @throws NotFoundException if there is no such volume
    public Content read() throws IOException {
        if (!exists()) {
            throw new NotFoundException(folder.getParent() + ": no volume \"" + name + "\" in this vault");
        }
        List<Entry> entries = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        for (Path path : manifests()) {
            try {
                byte[] text = text(path);
                Manifest manifest = Manifest.decode(text, path.getFileName().toString());
                checkName(manifest, path);
                Hash original = manifest.original().orElseGet(() -> new SubtreeHasher().whole(MemorySegment.ofArray(text)));
                entries.add(new Entry(new StoredArchive(folder, manifest), original));
            } catch (IOException e) {
                problems.add(new Problem(path.getFileName().toString(), e));
            }
        }
        entries.sort(ORDER);
        checkTogether(entries, problems);
        return new Content(new History(entries.stream().map(Entry::archive).toList()), List.copyOf(problems));
    }

    private List<Path> manifests() throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            return content.filter(path -> isManifest(path.getFileName().toString()))
                    .sorted()
                    .toList();
        }
    }

    private static byte[] text(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            ByteBuffer text = ByteBuffer.allocate(Manifest.MAX_SIZE + 1);
            while (text.hasRemaining() && channel.read(text) >= 0) {
                // until the end
            }
            return Arrays.copyOf(text.array(), text.position());
        }
    }

    private void checkName(Manifest manifest, Path path) throws CorruptException {
        String file = path.getFileName().toString();
        if (!manifest.volume().equals(name)) {
            throw new CorruptException(Rule.F036, file, "volume \"" + manifest.volume() + "\" in the folder of \"" + name + "\"");
        }
        if (!file.equals(manifest.baseName() + ".json")) {
            throw new CorruptException(Rule.F036, file, "its archive is " + manifest.baseName());
        }
    }

    private static void checkTogether(List<Entry> entries, List<Problem> problems) {
        for (int i = 1; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            String wrong = misfit(entries.get(i - 1), entry);
            if (wrong != null) {
                String file = entry.archive().manifestFile().getFileName().toString();
                problems.add(new Problem(file, new CorruptException(Rule.F040, file, wrong)));
            }
        }
    }

    /// {@return why a manifest cannot follow the one before it, or null}
    private static @Nullable String misfit(Entry before, Entry entry) {
        Manifest other = before.manifest();
        Manifest manifest = entry.manifest();
        String file = before.archive().manifestFile().getFileName().toString();
        if (!manifest.volumeId().equals(other.volumeId()) || manifest.chunkLog() != other.chunkLog()) {
            return "another volume id or chunk size than " + file;
        }
        if (manifest.sequence() == other.sequence()) {
            if (!manifest.derived()) {
                return "sequence " + manifest.sequence() + " is also that of " + file;
            }
            if (!entry.original.equals(before.original)) {
                return "expected to name " + before.original + " as original, as " + file + " demands, found " + entry.original;
            }
            return manifest.describesPointOf(other) ? null : "says otherwise than " + file + " of the same point in time";
        }
        if (manifest.sequence() == other.sequence() + 1 && !manifest.previous().equals(Optional.of(before.original))) {
            return "expected to name " + before.original + " as previous, found " + text(manifest.previous());
        }
        return null;
    }

    private static String text(Optional<Hash> hash) {
        return hash.map(Hash::toString).orElse("none");
    }
}
