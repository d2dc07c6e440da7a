package varve.archive.vault;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.Folder;
import varve.archive.format.JsonMembers;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// What a list of volumes says of one, so that it need not read all its manifests: FORMAT.md section 17.
///
/// Only a cache, which any run may write and anybody may remove, and which is believed for nothing but that list. It is good as
/// long as the folder of the volume holds manifests of the same names. Looking at the names takes a while where there are very
/// many, so it also has the [Stamp] of the folder, its inode and when it was last changed, unless that was just before.
///
/// @param points number of points in time
/// @param latest time of the latest
/// @param size of the device then
/// @param root of the device then
/// @param storedSize sum of all data files and tables that there are manifests of
public record VolumeDigest(long points, Instant latest, long size, Hash root, long storedSize) {

    static final String FOLDER = ".varve-list";
    private static final String FORMAT = "varve-list-1";
    private static final int MAX_SIZE = 64 << 10;

    /// Sums up a volume: from its digest if there is a good one, else from its manifests.
    ///
    /// @param problems gets what is wrong with manifests
    /// @return empty if the volume has no points
    public static Optional<VolumeDigest> of(Vault vault, Volume volume, List<Volume.Problem> problems) throws IOException {
        Path file = vault.folder().resolve(FOLDER).resolve(volume.name() + ".json");
        Optional<Stamp> stamp = Stamp.of(volume.folder());
        Optional<VolumeDigest> known = known(file, volume, stamp);
        if (known.isPresent()) {
            return known;
        }
        Volume.Content content = volume.read();
        problems.addAll(content.problems());
        Optional<VolumeDigest> digest = of(content.history());
        if (digest.isPresent() && content.problems().isEmpty()) {
            digest.get().write(file, volume, names(content.history()), stamp);
        }
        return digest;
    }

    private static Optional<VolumeDigest> of(History history) {
        List<Point> points = history.points();
        if (points.isEmpty()) {
            return Optional.empty();
        }
        Manifest latest = points.getLast().manifest();
        return Optional.of(new VolumeDigest(
                points.size(),
                latest.time(),
                latest.state().size(),
                latest.state().root(),
                history.archives().stream().mapToLong(archive -> archive.manifest().storedSize()).sum()));
    }

    /// Saves the digest of a volume that has just been changed. For the holder of its lock.
    ///
    /// @param history as it is now
    public static void save(Volume volume, History history) {
        Path file = volume.folder().resolveSibling(FOLDER).resolve(volume.name() + ".json");
        of(history).ifPresent(digest -> digest.write(file, volume, names(history), Stamp.of(volume.folder())));
    }

    private static Optional<VolumeDigest> known(Path file, Volume volume, Optional<Stamp> stamp) throws IOException {
        JsonMembers json;
        VolumeDigest digest;
        Hash names;
        try {
            byte[] content = Folder.read(file, MAX_SIZE);
            if (content.length > MAX_SIZE) {
                return Optional.empty();
            }
            json = JsonMembers.parse(content, file.toString());
            if (!json.sealed() || !FORMAT.equals(json.text("format")) || !volume.name().equals(json.text("volume"))) {
                return Optional.empty();
            }
            digest = new VolumeDigest(
                    json.number("points"),
                    Instant.parse(json.required("latest")),
                    json.number("size"),
                    Hash.parse(json.required("root")),
                    json.number("storedSize"));
            names = Hash.parse(json.required("names"));
            Long inode = json.optionalNumber("inode");
            Long changed = json.optionalNumber("changed");
            if (inode != null && changed != null && stamp.filter(now -> now.inode() == inode && now.changed() == changed).isPresent()) {
                return Optional.of(digest);
            }
        } catch (IOException | IllegalArgumentException | DateTimeException e) {
            return Optional.empty(); // it is only a cache
        }
        if (!names.equals(names(volume.folder()))) {
            return Optional.empty();
        }
        digest.write(file, volume, names, stamp);
        return Optional.of(digest);
    }

    private void write(Path file, Volume volume, Hash names, Optional<Stamp> stamp) {
        JsonMembers json = new JsonMembers(file.toString());
        json.text("format", FORMAT);
        json.text("volume", volume.name());
        json.text("names", names.toString());
        json.number("inode", stamp.map(Stamp::inode).orElse(null));
        json.number("changed", stamp.map(Stamp::changed).orElse(null));
        json.number("points", points);
        json.text("latest", latest.toString());
        json.number("size", size);
        json.text("root", root.toString());
        json.number("storedSize", storedSize);
        json.seal();
        try {
            Files.createDirectories(file.getParent());
            Path draft = file.resolveSibling(volume.name() + ".draft");
            Files.writeString(draft, json.toString());
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // a vault that cannot be written to is listed more slowly
        }
    }

    private static Hash names(History history) {
        return hash(history.archives().stream().map(archive -> archive.manifest().baseName() + ".json"));
    }

    private static Hash names(Path folder) throws IOException {
        try (Stream<Path> content = Files.list(folder)) {
            return hash(content.map(file -> file.getFileName().toString()).filter(Volume::isManifest));
        }
    }

    private static Hash hash(Stream<String> names) {
        String text = names.sorted().collect(Collectors.joining("\n"));
        return new SubtreeHasher().whole(MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
    }
}
