package varve.mounthelper.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import varve.archive.block.BlockSource;
import varve.mounthelper.image.Image;
import varve.mounthelper.overlay.Overlay;

/// One point in time as an export that can be written, with an overlay in front; it goes by all names that the point has.
public final class WritableExports implements Exports, Closeable {

    private final VaultExports points;
    private final Export point;
    private final Overlay overlay;

    /// @param points of which there is one; closed with this
    /// @param file of the overlay
    /// @param clock that says when it is made
    public WritableExports(VaultExports points, Path file, Clock clock) throws IOException {
        this.points = points;
        this.point = points.list().getFirst();
        Image image = points.open(point);
        try {
            this.overlay = Overlay.attach(file, image, image.state(), clock.instant(), image);
        } catch (Throwable e) {
            image.close();
            throw e;
        }
    }

    /// {@return what clients write to}
    public Overlay overlay() {
        return overlay;
    }

    @Override
    public List<Export> list() {
        return List.of(new Writable());
    }

    @Override
    public Export find(String name) throws IOException {
        points.find(name);
        return new Writable();
    }

    @Override
    public void close() throws IOException {
        try (points) {
            overlay.close();
        }
    }

    private final class Writable implements Export {
        @Override
        public String name() {
            return point.name();
        }

        @Override
        public String description() {
            return point.description() + ", with an overlay";
        }

        @Override
        public long size() {
            return point.size();
        }

        @Override
        public boolean writable() {
            return true;
        }

        @Override
        public BlockSource open() {
            return overlay.share();
        }
    }
}
