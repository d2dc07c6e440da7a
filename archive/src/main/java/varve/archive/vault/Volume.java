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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    private static final Pattern MANIFEST = Pattern.compile("[^.].*\\.\\d{8}T\\d{6}\\.\\d{3}Z\\.(full|delta)\\.json");

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

    /// A manifest that is not to be believed.
    ///
    /// @param manifest its file name
    /// @param cause what is wrong with it; the message names the file
    public record Problem(String manifest, IOException cause) {}

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
        List<StoredArchive> archives = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        Map<Long, Hash> hashes = new HashMap<>();
        for (Path path : manifests()) {
            try {
                byte[] text = text(path);
                Manifest manifest = Manifest.decode(text, path.getFileName().toString());
                checkName(manifest, path);
                archives.add(new StoredArchive(folder, manifest));
                hashes.putIfAbsent(manifest.sequence(), new SubtreeHasher().whole(MemorySegment.ofArray(text)));
            } catch (IOException e) {
                problems.add(new Problem(path.getFileName().toString(), e));
            }
        }
        archives.sort(Comparator.comparingLong(archive -> archive.manifest().sequence()));
        checkTogether(archives, hashes, problems);
        return new Content(new History(List.copyOf(archives)), List.copyOf(problems));
    }

    /// {@return hash of a manifest as it lies there, which the next one names}
    public Hash manifestHash(StoredArchive archive) throws IOException {
        return new SubtreeHasher().whole(MemorySegment.ofArray(text(archive.manifestFile())));
    }

    private List<Path> manifests() throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            return content.filter(path -> {
                        String file = path.getFileName().toString();
                        return MANIFEST.matcher(file).matches();
                    })
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

    private static void checkTogether(List<StoredArchive> archives, Map<Long, Hash> hashes, List<Problem> problems) {
        for (int i = 1; i < archives.size(); i++) {
            StoredArchive archive = archives.get(i);
            String wrong = misfit(archives.get(i - 1), archive.manifest(), hashes);
            if (wrong != null) {
                String file = archive.manifestFile().getFileName().toString();
                problems.add(new Problem(file, new CorruptException(Rule.F040, file, wrong)));
            }
        }
    }

    /// {@return why a manifest cannot follow the one before it, or null}
    private static @Nullable String misfit(StoredArchive before, Manifest manifest, Map<Long, Hash> hashes) {
        Manifest other = before.manifest();
        String file = before.manifestFile().getFileName().toString();
        if (!manifest.volumeId().equals(other.volumeId()) || manifest.chunkLog() != other.chunkLog()) {
            return "another volume id or chunk size than " + file;
        }
        if (manifest.sequence() == other.sequence()) {
            return "sequence " + manifest.sequence() + " is also that of " + file;
        }
        Optional<Hash> expected = Optional.ofNullable(hashes.get(other.sequence()));
        if (manifest.sequence() == other.sequence() + 1 && !manifest.previous().equals(expected)) {
            return "expected to name " + text(expected) + " as previous, found " + text(manifest.previous());
        }
        return null;
    }

    private static String text(Optional<Hash> hash) {
        return hash.map(Hash::toString).orElse("none");
    }
}
