package varve.mounthelper.cli;

import java.io.IOException;
import java.util.function.Consumer;
import varve.archive.cli.UsageException;
import varve.mounthelper.image.DiskRoom;
import varve.mounthelper.image.Images;

/// The images of a server: what was decoded is kept on a disk, too, as `VARVE_CACHE` says.
final class ServedImages {

    private ServedImages() {}

    static Images open(Consumer<String> log) throws IOException {
        DiskRoom room;
        try {
            room = DiskRoom.of(System.getenv());
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage());
        }
        return new Images(log, room);
    }
}
