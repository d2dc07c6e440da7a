package varve.mounthelper;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import varve.archive.Throttle;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;

/// Where a restore goes: a file or a block device.
///
/// Opened, it is only looked at (and a device is held against others); [#begin] makes it ready to be written, [#commit]
/// puts the finished image in its place. Closed without a commit, it can be continued by a later restore.
abstract sealed class Target implements Closeable permits DeviceTarget, FileTarget {

    private final Path path;
    private @Nullable Medium medium;

    Target(Path path) {
        this.path = path;
    }

    /// Looks at what a path leads to, and refuses what a restore would harm.
    ///
    /// @param path as the user wrote it
    /// @param size of the image
    /// @throws RefusedException if it is in use, too small, read-only, or no file or block device
    static Target open(Path path, long size, boolean inPlace) throws IOException {
        if (path.toString().isEmpty()) {
            throw new NoSuchFileException("\"\"", null, "no device or file has no name");
        }
        if (Linux.isBlockDevice(path)) {
            return DeviceTarget.open(path, size, inPlace);
        }
        if (Files.isDirectory(path)) {
            throw new RefusedException(path + ": a folder; name the file to write in it");
        }
        if (Files.exists(path)) {
            if (!Files.isRegularFile(path)) {
                throw new RefusedException(path + ": neither a block device nor a file");
            }
            return FileTarget.existing(path, inPlace);
        }
        if (Files.isSymbolicLink(path)) {
            throw new RefusedException(path + ": a link that leads nowhere: " + Files.readSymbolicLink(path));
        }
        Path folder = path.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(path.toString(), null, "no such device or file, and no folder " + folder + " to make it in");
        }
        FileStore store = Files.getFileStore(folder);
        if (store.type().equals("devtmpfs")) { // a mistyped device would become a file in memory
            throw new NoSuchFileException(path.toString(), null, "no such device");
        }
        return FileTarget.absent(path);
    }

    Path path() {
        return path;
    }

    abstract RestorePlan.Kind kind();

    abstract RestorePlan.Mode mode();

    /// {@return size of what is there now, 0 if nothing is}
    abstract long oldSize();

    /// {@return what seems to be there now, in a few words}
    abstract String contents();

    /// {@return the file that will change in the end, as far as that is known, or the device}
    abstract Path real() throws IOException;

    /// {@return whether zeros need not be stored}
    abstract boolean sparse();

    /// Makes it ready to be written.
    ///
    /// @throws RefusedException if another restore is at work on it
    final void begin(long size, Throttle throttle) throws IOException {
        medium = new Medium(name(), openForWriting(size), throttle);
    }

    abstract int openForWriting(long size) throws IOException;

    /// {@return what is being written, in messages}
    String name() {
        return path.toString();
    }

    final Medium medium() {
        if (medium == null) {
            throw new IllegalStateException("not begun");
        }
        return medium;
    }

    /// {@return whether a range is known to be a hole, and so reads as zeros}
    abstract boolean blank(long offset, long size) throws IOException;

    /// Makes a range read as zeros.
    abstract void zero(long offset, long size) throws IOException;

    /// Ends a finished restore: everything is on the medium, and under its name.
    abstract void commit(long size) throws IOException;

    @Override
    public void close() throws IOException {
        if (medium != null) {
            medium.close();
        }
    }
}
