package varve.mounthelper.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import varve.archive.cli.Size;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.PointName;
import varve.mounthelper.image.Image;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;

/// Points in time of some vaults as exports, read-only, each under `volume@time`; clients may use any other name of a point as well.
///
/// Either all that there are, at any time, each opened when a client chooses it; or some, which are looked up and
/// opened at once and stay open.
public final class VaultExports implements Exports, Closeable {

    private final Points points;
    private final Images images;
    private final Consumer<String> log;
    private final Map<String, Point> chosen = new LinkedHashMap<>(); // by each of their names
    private final List<Point> listed = new ArrayList<>(); // of those chosen
    private final List<Image> opened = new ArrayList<>();

    /// A point on offer.
    ///
    /// @param path that it was opened by and is open; so nobody misses archives that were removed meanwhile. Empty if it is looked for when it is opened
    private record Point(Images images, FoundPoint found, List<StoredArchive> path) implements Export {

        private Manifest manifest() {
            return found.point().manifest();
        }

        @Override
        public String name() {
            return manifest().volume() + "@" + Manifest.text(manifest().time());
        }

        @Override
        public String description() {
            Manifest manifest = manifest();
            return "point " + manifest.sequence() + ", " + Size.format(manifest.state().size()) + ", root "
                    + manifest.state().root().brief() + manifest.label().map(label -> ", \"" + label + "\"").orElse("");
        }

        @Override
        public long size() {
            return manifest().state().size();
        }

        @Override
        public boolean writable() {
            return false;
        }

        @Override
        public Image open() throws IOException {
            return images.open(path.isEmpty() ? found.path() : path, name());
        }
    }

    /// @param chosen points; all there are if it is empty
    /// @param log takes what is wrong with a vault without anybody's asking
    /// @throws IOException if one of those chosen cannot be opened
    public VaultExports(Points points, Images images, List<PointName> chosen, Consumer<String> log) throws IOException {
        this.points = points;
        this.images = images;
        this.log = log;
        try {
            for (PointName name : chosen) {
                choose(name);
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
        if (listed.size() == 1) {
            this.chosen.put("", listed.getFirst()); // section "Option types": the default export
        }
    }

    private void choose(PointName name) throws IOException {
        FoundPoint found = points.find(name);
        String called = new Point(images, found, List.of()).name();
        if (!name.toString().equals(called)) {
            found.checkMeant(name);
        }
        Point point = chosen.get(called);
        if (point == null) {
            point = new Point(images, found, found.path());
            opened.add(point.open());
            listed.add(point);
            chosen.put(called, point);
        }
        chosen.put(name.toString(), point);
    }

    @Override
    public List<Export> list() throws IOException {
        if (!chosen.isEmpty()) {
            return List.copyOf(listed);
        }
        List<Export> all = new ArrayList<>();
        for (String volume : points.volumes()) {
            try {
                points.of(volume).forEach(found -> all.add(new Point(images, found, List.of())));
            } catch (IOException e) {
                log.accept(e.getMessage());
            }
        }
        return all;
    }

    @Override
    public Export find(String text) throws IOException {
        if (!chosen.isEmpty()) {
            Point point = chosen.get(text);
            if (point == null) {
                throw new NotFoundException("no export \"" + text + "\"; there are " + String.join(", ", listed.stream().map(Point::name).toList()));
            }
            return point;
        }
        if (text.isEmpty()) {
            throw new NotFoundException("there is no default export; name a point in time, such as tools@latest");
        }
        PointName name = PointName.parse(text);
        Point point = new Point(images, points.find(name), List.of());
        if (!text.equals(point.name())) {
            point.found.checkMeant(name);
        }
        return point;
    }

    /// Opens one of those listed.
    Image open(Export listed) throws IOException {
        return ((Point) listed).open();
    }

    /// {@return the image of the first of those that were chosen}
    public Image first() {
        return opened.getFirst();
    }

    @Override
    public void close() {
        opened.forEach(Image::close);
    }
}
