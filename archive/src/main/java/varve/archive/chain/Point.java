package varve.archive.chain;

import java.util.List;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.State;

/// A point in time of a volume, and the archives that carry it: the original one, made when the point was recorded, if its
/// manifest is still here, and those that were derived from others since.
///
/// All of them lead to the same state of the device, from different states before it, and say the same of the point.
///
/// @param archives the original first
public record Point(List<StoredArchive> archives) {

    /// {@return the original archive, or another if that is gone}
    public StoredArchive archive() {
        return archives.getFirst();
    }

    /// {@return a manifest that describes the point}
    public Manifest manifest() {
        return archive().manifest();
    }

    public State state() {
        return manifest().state();
    }
}
