package varve.archive.vault;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.History;
import varve.archive.file.Folder;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.sign.Signing;
import varve.archive.seal.Keys;

/// The history of one device in a vault: a folder of archives.
///
/// @param name of the volume
/// @param folder of its archives; there is none before the first archive
/// @param signing whom to believe, and what to sign with
/// @param keys with which sealed ones are read
public record Volume(String name, Path folder, Signing signing, Keys keys) {

    /// FORMAT.md section 2: other names are no manifests
    private static final Pattern MANIFEST = Pattern.compile("[^.].*\\.\\d{8}T\\d{6}\\.\\d{3}Z\\.([0-9a-f]{8}\\.)?(full|delta)\\.json");

    /// A volume for which what the environment says of signatures holds.
    public Volume(String name, Path folder) {
        this(name, folder, Keys.NONE);
    }

    /// Likewise, with keys to read what is sealed.
    public Volume(String name, Path folder, Keys keys) {
        this(name, folder, Signing.ofHost(), keys);
    }

    private static final Comparator<Entry> ORDER = Comparator.<Entry>comparingLong(entry -> entry.manifest().sequence())
            .thenComparing(entry -> entry.manifest().derived())
            .thenComparing(entry -> entry.manifest().baseName());

    /// What is in the folder, or in those of several vaults.
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

        /// whether two manifests, perhaps made in two places, are of one data file
        boolean sameArchive(Entry other) {
            return original.equals(other.original)
                    && manifest().describesPointOf(other.manifest())
                    && manifest().parent().equals(other.manifest().parent())
                    && manifest().file().equals(other.manifest().file())
                    && manifest().index().equals(other.manifest().index());
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
        return together(List.of(this));
    }

    /// Reads all manifests of a volume in several vaults as one history: an archive that lies in some of them is one archive, and
    /// a damaged manifest does no harm if another vault has a good one.
    ///
    /// @param volumes of one name; those that do not exist are passed over
    /// @throws NotFoundException if none exists
    public static Content together(List<Volume> volumes) throws IOException {
        return together(volumes, false);
    }

    /// Looks at the manifests of a volume in several vaults, as [#together] reads them. Those are not read again that have not changed since they last
    /// were for this: good enough to tell how a volume stands, not to rely on. What a volume that is signed holds is always read.
    ///
    /// @param volumes of one name; those that do not exist are passed over
    /// @throws NotFoundException if none exists
    public static Content look(List<Volume> volumes) throws IOException {
        return together(volumes, true);
    }

    private static Content together(List<Volume> volumes, boolean known) throws IOException {
        Volume first = volumes.getFirst();
        if (volumes.stream().noneMatch(Volume::exists)) {
            String places = volumes.stream().map(volume -> volume.folder.getParent().toString()).collect(Collectors.joining(", "));
            throw new NotFoundException(places + ": no volume \"" + first.name + "\" in " + (volumes.size() == 1 ? "this vault" : "these vaults"));
        }
        Reading reading = new Reading(volumes.size() > 1);
        for (Volume volume : volumes) {
            if (volume.exists()) {
                reading.take(volume, known);
            }
        }
        return reading.content();
    }

    /// A manifest that was read: what it says, or what is wrong with it.
    ///
    /// @param stamp of its file before it was read, if that is to be known; empty if it was known
    private record Taken(Path path, byte[] text, @Nullable Entry entry, @Nullable IOException trouble, Optional<Stamp> stamp) {}

    /// What was found in the folders so far.
    private static final class Reading {

        private static final int BATCH = 64; // that are read at once, where there are so many; their texts are kept until then
        private static final int LOOKED_AT = 512; // likewise, where most are known

        private final boolean several;
        private final Map<String, Entry> entries = new HashMap<>();
        private final Map<String, IOException> unreadable = new TreeMap<>();
        private final List<Problem> problems = new ArrayList<>();

        Reading(boolean several) {
            this.several = several;
        }

        /// @param look whether manifests that have not changed since they were last read need not be read
        void take(Volume volume, boolean look) throws IOException {
            Signatures signatures = Signatures.of(volume);
            KnownManifests known = look && !signatures.signed() ? KnownManifests.read(volume) : null;
            List<Path> manifests = volume.manifests();
            int most = known == null ? BATCH : LOOKED_AT;
            for (int at = 0; at < manifests.size(); at += most) {
                List<Path> batch = manifests.subList(at, Math.min(manifests.size(), at + most));
                Stream<Path> paths = batch.size() < BATCH ? batch.stream() : batch.parallelStream();
                for (Taken taken : paths.map(path -> known == null ? read(volume, path, Optional.empty()) : take(volume, path, known)).toList()) {
                    take(taken, signatures);
                    if (known != null && taken.entry != null && taken.stamp.isPresent()) {
                        known.add(taken.path.getFileName().toString(), taken.entry.manifest(), taken.entry.original, taken.stamp.get());
                    }
                }
            }
            if (known != null) {
                known.save(manifests);
            }
        }

        private Taken take(Volume volume, Path path, KnownManifests known) {
            Optional<Stamp> stamp = Stamp.of(path);
            return known.of(path.getFileName().toString(), stamp)
                    .map(it -> new Taken(path, new byte[0], new Entry(new StoredArchive(volume.folder, it.manifest(), volume.keys), it.original()), null, Optional.empty()))
                    .orElseGet(() -> read(volume, path, stamp));
        }

        private Taken read(Volume volume, Path path, Optional<Stamp> stamp) {
            try {
                byte[] text = Folder.read(path, Manifest.MAX_SIZE);
                Manifest manifest = Manifest.decode(text, several ? path.toString() : path.getFileName().toString());
                volume.checkName(manifest, path);
                Hash original = manifest.original().orElseGet(() -> new SubtreeHasher().whole(MemorySegment.ofArray(text)));
                return new Taken(path, text, new Entry(new StoredArchive(volume.folder, manifest, volume.keys), original), null, stamp);
            } catch (IOException e) {
                return new Taken(path, new byte[0], null, e, Optional.empty());
            }
        }

        private void take(Taken taken, Signatures signatures) {
            String file = taken.path.getFileName().toString();
            if (taken.entry == null) {
                unreadable.putIfAbsent(file, Objects.requireNonNull(taken.trouble));
                return;
            }
            try {
                signatures.check(taken.path, taken.text);
                add(file, taken.entry);
            } catch (IOException e) {
                unreadable.putIfAbsent(file, e);
            }
        }

        private void add(String file, Entry entry) {
            Entry known = entries.putIfAbsent(file, entry);
            if (known == null) {
                return;
            }
            if (known.sameArchive(entry)) {
                entries.put(file, new Entry(known.archive.with(entry.archive.folder()), known.original));
            } else {
                problems.add(new Problem(file, new CorruptException(Rule.F040, entry.archive.manifestFile().toString(),
                        "another archive than " + known.archive.manifestFile() + ": the histories of the two went separate ways")));
            }
        }

        Content content() {
            unreadable.keySet().removeAll(entries.keySet());
            unreadable.forEach((file, cause) -> problems.add(new Problem(file, cause)));
            List<Entry> sorted = entries.values().stream().sorted(ORDER).toList();
            checkTogether(sorted, problems);
            return new Content(new History(sorted.stream().map(Entry::archive).toList()), List.copyOf(problems));
        }
    }

    private List<Path> manifests() throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            return content.filter(path -> isManifest(path.getFileName().toString()))
                    .sorted()
                    .toList();
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
