package varve.mounthelper.mount;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.mounthelper.fuse.Entry;
import varve.mounthelper.image.Image;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;
import varve.mounthelper.overlay.Overlay;

/// The points in time of some vaults as a tree of files: a folder for each volume, in it a file `TIME.img` for each point, read-only.
///
/// Either all that there are, at any time, each opened when somebody reads it; or some, which are looked up and
/// opened at once and stay open; or one that can be written, with an overlay in front.
public final class VaultTree implements Entry.Folder, Closeable {

    private static final String SUFFIX = ".img";

    private final Points points;
    private final Images images;
    private final Consumer<String> log;
    private final Instant begun;
    private final Map<String, List<FoundPoint>> chosen = new LinkedHashMap<>(); // by volume
    private final List<Image> opened = new ArrayList<>();
    private final Map<String, List<StoredArchive>> paths = new HashMap<>(); // of those that are open, by name: archives that were removed meanwhile are not missed
    private @Nullable Overlay overlay;

    /// @param names of points; all there are if it is empty
    /// @param begun when the tree is made
    /// @param log takes what is wrong with a vault without anybody's asking
    /// @throws IOException if one of those named cannot be opened
    public VaultTree(Points points, Images images, List<PointName> names, Instant begun, Consumer<String> log) throws IOException {
        this.points = points;
        this.images = images;
        this.begun = begun;
        this.log = log;
        try {
            for (PointName name : names) {
                choose(name);
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /// One point that can be written.
    ///
    /// @param file of the overlay; made if there is none
    public static VaultTree writable(Points points, Images images, PointName name, Path file, Instant begun, Consumer<String> log) throws IOException {
        VaultTree tree = new VaultTree(points, images, List.of(name), begun, log);
        try {
            Image image = tree.opened.removeLast(); // closed with the overlay
            try {
                tree.overlay = Overlay.attach(file, image, image.state(), begun, image);
                return tree;
            } catch (Throwable e) {
                image.close();
                throw e;
            }
        } catch (Throwable e) {
            tree.close();
            throw e;
        }
    }

    private void choose(PointName name) throws IOException {
        FoundPoint found = points.find(name);
        if (!name.toString().equals(name(found))) {
            found.checkMeant(name);
        }
        List<FoundPoint> ofVolume = chosen.computeIfAbsent(name.volume(), volume -> new ArrayList<>());
        if (ofVolume.stream().noneMatch(other -> name(other).equals(name(found)))) {
            ofVolume.add(found);
            opened.add(images.open(found.path(), name(found)));
            paths.put(name(found), found.path());
        }
    }

    /// {@return what a point is called everywhere}
    private static String name(FoundPoint found) {
        Manifest manifest = found.point().manifest();
        return manifest.volume() + "@" + Manifest.text(manifest.time());
    }

    private List<FoundPoint> of(String volume) throws IOException {
        return chosen.isEmpty() ? points.of(volume) : chosen.getOrDefault(volume, List.of());
    }

    @Override
    public Instant changed() {
        return begun;
    }

    @Override
    public List<Named> list() throws IOException {
        List<String> volumes = chosen.isEmpty() ? points.volumes() : List.copyOf(chosen.keySet());
        return volumes.stream().map(name -> new Named(name, new VolumeFolder(this, name))).toList();
    }

    @Override
    public Optional<Entry> find(String name) throws IOException {
        return list().stream().filter(named -> named.name().equals(name)).map(Named::entry).findFirst();
    }

    /// Brings what was written to the medium.
    public void flush() throws IOException {
        if (overlay != null) {
            overlay.flush();
        }
    }

    /// Flushes it, too, even if somebody still has it open.
    @Override
    public void close() throws IOException {
        opened.forEach(Image::close);
        if (overlay != null) {
            try (Overlay closed = overlay) {
                closed.flush();
            }
        }
    }

    private record VolumeFolder(VaultTree tree, String volume) implements Folder {

        private List<FoundPoint> points() throws IOException {
            try {
                return tree.of(volume);
            } catch (NotFoundException e) {
                return List.of(); // gone meanwhile
            } catch (IOException e) {
                tree.log.accept(e.getMessage());
                throw e;
            }
        }

        @Override
        public Instant changed() throws IOException {
            return points().stream().map(found -> found.point().manifest().finished()).reduce(tree.begun, (a, b) -> b);
        }

        @Override
        public List<Named> list() throws IOException {
            return points().stream().map(found -> new Named(fileName(found), file(found))).toList();
        }

        @Override
        public Optional<Entry> find(String name) throws IOException {
            return points().stream().filter(found -> name.equals(fileName(found))).<Entry>map(this::file).findFirst();
        }

        private static String fileName(FoundPoint found) {
            return Manifest.text(found.point().manifest().time()) + SUFFIX;
        }

        private PointFile file(FoundPoint found) {
            Manifest manifest = found.point().manifest();
            long stored = found.point().archives().stream().map(StoredArchive::manifest).mapToLong(Manifest::storedSize).sum();
            return new PointFile(this, manifest.time(), manifest.state(), Math.min(stored, manifest.state().size()));
        }
    }

    /// @param changed when the point was recorded
    private record PointFile(VolumeFolder folder, Instant changed, State state, long storedSize) implements File {

        @Override
        public long size() {
            return state.size();
        }

        @Override
        public boolean writable() {
            return folder.tree.overlay != null;
        }

        @Override
        public BlockSource open() throws IOException {
            if (folder.tree.overlay != null) {
                return folder.tree.overlay.share();
            }
            FoundPoint found = folder.points().stream()
                    .filter(known -> known.point().manifest().time().equals(changed) && known.point().state().equals(state))
                    .findFirst()
                    .orElseThrow(() -> new NotFoundException(folder.volume + "@" + Manifest.text(changed) + ": is not there any more"));
            List<StoredArchive> path = folder.tree.paths.get(name(found));
            return folder.tree.images.open(path == null ? found.path() : path, name(found));
        }
    }
}
