package varve.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bouncycastle.crypto.digests.Blake3Digest;
import varve.archive.block.FileDevice;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// A volume and what a test knows of it: the device at each point in time as plain bytes, and the archives' files as they
/// were when they were first seen.
final class VolumeSubject {

    private static final String STAGE = ".varve-stage";

    private final Path vault;
    private final String name;
    private final List<byte[]> points = new ArrayList<>();
    private final Map<String, String> files = new TreeMap<>();
    private final Map<byte[], String> roots = new IdentityHashMap<>();

    VolumeSubject(Path vault, String name) {
        this.vault = vault;
        this.name = name;
    }

    Path vault() {
        return vault;
    }

    Path folder() {
        return vault.resolve(name);
    }

    /// {@return number of points in time that are known}
    int points() {
        return points.size();
    }

    /// {@return one of the staged files}
    Path stage(String extension) {
        return folder().resolve(STAGE + "." + extension);
    }

    List<StoredArchive> archives() throws IOException {
        return history().archives();
    }

    private History history() throws IOException {
        Volume volume = Vault.open(vault).volume(name);
        return volume.exists() ? volume.read().sound() : new History(List.of());
    }

    /// Archives an image in this process.
    Archiver.Outcome archive(Path image) throws IOException, InterruptedException {
        return archive(image, InstantSource.system(), new ArrayList<>());
    }

    Archiver.Outcome archive(Path image, InstantSource clock, List<String> warnings) throws IOException, InterruptedException {
        ArchiveOptions options = new ArchiveOptions(false, 1, OptionalInt.empty(), 2, 0, false, Optional.empty(), false);
        Archiver archiver = new Archiver(Vault.openOrCreate(vault), name, options, clock, bytes -> {}, warnings::add);
        try (FileDevice device = FileDevice.open(image)) {
            return archiver.archive(device, Duration.ZERO);
        }
    }

    /// Checks that everything known is still there, untouched, and takes in what is new.
    ///
    /// @param may what new points may hold: in this order, each at most once
    /// @return which of these were recorded
    List<byte[]> look(byte[]... may) throws IOException {
        if (!Files.exists(vault.resolve("varve-vault.json"))) {
            assertEquals(0, points.size(), "the vault is gone");
            return List.of();
        }
        History history = history();
        List<StoredArchive> archives = history.archives();
        assertTrue(archives.size() >= points.size(), () -> "points are lost: " + archives);
        checkFiles();
        List<byte[]> recorded = new ArrayList<>();
        int next = 0;
        for (StoredArchive archive : archives.subList(points.size(), archives.size())) {
            String root = archive.manifest().state().root().toString();
            while (next < may.length && !root(may[next]).equals(root)) {
                next++;
            }
            if (next == may.length) {
                fail(archive.manifest().baseName() + " has a root that is BLAKE3 of none of the images it may hold: " + root);
            }
            assertContent(may[next], history, archive);
            recorded.add(may[next++]);
            files.putAll(filesOf(archive));
        }
        points.addAll(recorded);
        checkNames(archives);
        return recorded;
    }

    /// Checks the content of all points.
    void lookAtAll() throws IOException {
        look();
        History history = history();
        for (int i = 0; i < points.size(); i++) {
            assertContent(points.get(i), history, history.archives().get(i));
        }
    }

    /// {@return the root of the archive that a dead run had decided on but not yet given its names}
    Optional<String> decided() throws IOException {
        Path manifest = stage("json");
        return Files.exists(manifest)
                ? Optional.of(Manifest.decode(Files.readAllBytes(manifest), "stage").state().root().toString())
                : Optional.empty();
    }

    private void checkFiles() throws IOException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            assertEquals(file.getValue(), sha256(folder().resolve(file.getKey())), file.getKey() + " has changed");
        }
    }

    private static Map<String, String> filesOf(StoredArchive archive) throws IOException {
        Map<String, String> hashes = new HashMap<>();
        for (Path file : List.of(archive.data(), archive.index(), archive.tree(), archive.manifestFile())) {
            hashes.put(file.getFileName().toString(), sha256(file));
        }
        return hashes;
    }

    /// nothing lies around but archives, the lock, one stage, and receipts that hang together
    private void checkNames(List<StoredArchive> archives) throws IOException {
        if (!Files.exists(folder())) {
            return;
        }
        List<String> bases = archives.stream().map(archive -> archive.manifest().baseName() + ".").toList();
        String decided = Files.exists(stage("json"))
                ? Manifest.decode(Files.readAllBytes(stage("json")), "stage").baseName() + "."
                : "no name";
        try (Stream<Path> content = Files.list(folder())) {
            List<String> strange = content.map(path -> path.getFileName().toString())
                    .filter(file -> !file.startsWith(".varve-") && !file.equals(Receipts.FILE) && !file.startsWith(decided) && bases.stream().noneMatch(file::startsWith))
                    .toList();
            assertEquals(List.of(), strange, "files of no archive");
            assertEquals(List.of(), new Receipts(new Volume(name, folder())).read().problems(), "receipts");
        }
    }

    private static void assertContent(byte[] expected, History history, StoredArchive archive) throws IOException {
        String point = archive.manifest().baseName();
        assertEquals(expected.length, archive.manifest().state().size(), point);
        List<StoredArchive> path = history.path(archive.manifest().state(), StoredArchive::dataAtHand).orElseThrow();
        int part = 1 << 20;
        try (ChainImage image = new ChainImage(Chain.open(path));
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(part, 8);
            MemorySegment model = MemorySegment.ofArray(expected);
            for (int at = 0; at < expected.length; at += part) {
                MemorySegment found = bytes.asSlice(0, Math.min(part, expected.length - at));
                image.read(at, found);
                long mismatch = found.mismatch(model.asSlice(at, found.byteSize()));
                assertEquals(-1, mismatch < 0 ? -1 : at + mismatch, point + ": offset of the first wrong byte");
            }
        }
    }

    /// {@return BLAKE3 of an image by Bouncy Castle}
    String root(byte[] image) {
        return roots.computeIfAbsent(image, bytes -> {
            Blake3Digest digest = new Blake3Digest();
            digest.update(bytes, 0, bytes.length);
            byte[] hash = new byte[32];
            digest.doFinal(hash, 0);
            return HexFormat.of().formatHex(hash);
        });
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
