package varve.mounthelper.overlay;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import varve.archive.Branch;
import varve.archive.cli.SourceKind;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.image.Image;
import varve.mounthelper.image.Images;

/// `overlay:FILE`, a source for `varve archive`: a point in time with what was written on top of it.
public final class OverlaySource implements SourceKind {

    @Override
    public String word() {
        return "overlay";
    }

    @Override
    public String volume(String name) throws IOException {
        return OverlayFile.peek(Path.of(name)).volume();
    }

    @Override
    public Branch open(String name, Vault vault, Consumer<String> warnings) throws IOException {
        Path path = Path.of(name);
        OverlayHeader header = OverlayFile.peek(path);
        FoundPoint found = FoundPoint.find(vault, new PointName(header.volume(), Optional.of(header.state().root().toString())));
        Images images = new Images(warnings);
        try {
            Image image = images.open(found.path(), header.point());
            try {
                return Overlay.attach(path, image, image.state(), header.made(), () -> {
                    try (images) {
                        image.close();
                    }
                });
            } catch (Throwable e) {
                image.close();
                throw e;
            }
        } catch (Throwable e) {
            images.close();
            throw e;
        }
    }
}
