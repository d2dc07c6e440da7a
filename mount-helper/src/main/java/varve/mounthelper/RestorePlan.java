package varve.mounthelper;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.PointName;

/// What a restore will do, found out before anything is written.
///
/// @param point as it was asked for
/// @param manifest that describes it
/// @param chain the archives that are read, full first
/// @param dataSize bytes of the image that are in data chunks; the rest is zero
/// @param target as it was asked for
/// @param oldSize size of what the target is now, 0 if it is not there
/// @param contents what seems to be there now
/// @param left the stage of an interrupted restore that will be continued
/// @param map of what is missing, which a salvage writes; empty if what is missing is an error
/// @param warnings what the user should know although it is no error
public record RestorePlan(
        PointName point,
        Manifest manifest,
        List<StoredArchive> chain,
        long dataSize,
        Path target,
        Kind kind,
        Mode mode,
        long oldSize,
        String contents,
        Optional<Path> left,
        Optional<Path> map,
        List<String> warnings) {

    /// What the target is now.
    public enum Kind {
        NEW_FILE,
        FILE,
        DEVICE
    }

    /// How the image gets there.
    public enum Mode {
        /// A file is written beside the target, and takes its name when it is proved.
        STAGED,
        /// What an interrupted restore has brought is kept, all else written.
        OVERWRITE,
        /// All of the target is read, and what differs is written.
        IN_PLACE
    }

    /// {@return bytes of the image}
    public long size() {
        return manifest.state().size();
    }

    /// {@return whether something is lost, so that the target has to be named}
    public boolean overwrites() {
        return kind != Kind.NEW_FILE;
    }

    /// {@return bytes of a device beyond the image, which stay as they are}
    public long tail() {
        return kind == Kind.DEVICE ? oldSize - size() : 0;
    }

    /// {@return bytes that will be looked at, for the progress: the zeros of a device are read, those of a file are holes}
    public long workSize() {
        return kind == Kind.DEVICE ? size() : dataSize;
    }
}
