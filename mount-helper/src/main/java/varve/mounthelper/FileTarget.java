package varve.mounthelper;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;

/// A regular file, with holes where the image is zero.
///
/// Unless it is restored in place, the image grows in a stage beside it, and takes its name when it is complete and proved:
/// what has the name is an image, the old one or the new. A kernel lock on what is written keeps a second restore away.
final class FileTarget extends Target {

    private static final String STAGE_SUFFIX = ".varve-partial";

    private final Path real;
    private final boolean exists;
    private final boolean inPlace;
    private final long oldSize;
    private final String contents;

    private FileTarget(Path path, Path real, boolean exists, boolean inPlace, long oldSize, String contents) {
        super(path);
        this.real = real;
        this.exists = exists;
        this.inPlace = inPlace;
        this.oldSize = oldSize;
        this.contents = contents;
    }

    static FileTarget absent(Path path) throws IOException {
        Path real = path.toAbsolutePath().getParent().toRealPath().resolve(path.getFileName());
        return new FileTarget(path, real, false, false, 0, "nothing");
    }

    static FileTarget existing(Path path, boolean inPlace) throws IOException {
        List<String> holders = Holders.ofFile(path);
        if (!holders.isEmpty()) {
            throw new RefusedException(path + ": in use: " + String.join("; ", holders));
        }
        int fd = Linux.open(path, Linux.O_RDONLY);
        try {
            long size = Linux.size(fd);
            return new FileTarget(path, path.toRealPath(), true, inPlace, size, Contents.of(fd, size));
        } finally {
            Linux.close(fd);
        }
    }

    @Override
    RestorePlan.Kind kind() {
        return exists ? RestorePlan.Kind.FILE : RestorePlan.Kind.NEW_FILE;
    }

    @Override
    RestorePlan.Mode mode() {
        return inPlace ? RestorePlan.Mode.IN_PLACE : RestorePlan.Mode.STAGED;
    }

    @Override
    long oldSize() {
        return oldSize;
    }

    @Override
    String contents() {
        return contents;
    }

    @Override
    Path real() {
        return real;
    }

    @Override
    boolean sparse() {
        return true;
    }

    /// {@return the stage}
    Path stage() {
        return real.resolveSibling(real.getFileName() + STAGE_SUFFIX);
    }

    /// {@return the stage that an interrupted restore has left}
    Optional<Path> left() {
        return inPlace || !Files.exists(stage(), LinkOption.NOFOLLOW_LINKS) ? Optional.empty() : Optional.of(stage());
    }

    @Override
    String name() {
        return inPlace ? super.name() : path().resolveSibling(stage().getFileName()).toString();
    }

    @Override
    int openForWriting(long size) throws IOException {
        int fd = inPlace ? locked(real, 0) : locked(stage(), Linux.O_CREAT);
        try {
            if (!inPlace && exists) {
                copyOwner();
            }
            if (!inPlace || oldSize < size) {
                Linux.truncate(fd, size);
            }
            return fd;
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    /// Opens a file of its name and locks it; another restore may finish, and rename the stage, between the two.
    private int locked(Path file, int create) throws IOException {
        while (true) {
            int fd = Linux.open(file, Linux.O_RDWR | Linux.O_NOFOLLOW | create);
            try {
                Path opened = Path.of("/proc/self/fd/" + fd);
                if (!Files.isRegularFile(opened)) {
                    throw new RefusedException(file + ": not a regular file");
                }
                if (!Linux.flock(fd, true, false)) {
                    throw new RefusedException(path() + ": another restore is at work on it");
                }
                if (sameFile(opened, file)) {
                    return fd;
                }
            } catch (Throwable e) {
                Linux.close(fd);
                throw e;
            }
            Linux.close(fd);
        }
    }

    private static boolean sameFile(Path opened, Path name) throws IOException {
        try {
            return Objects.equals(Files.getAttribute(opened, "unix:ino"), Files.getAttribute(name, "unix:ino", LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /// The new image is as readable as the old one was, also while it is a stage.
    private void copyOwner() throws IOException {
        try {
            for (String attribute : List.of("unix:uid", "unix:gid", "unix:mode")) {
                Object old = Files.getAttribute(real, attribute);
                if (!old.equals(Files.getAttribute(stage(), attribute))) {
                    Files.setAttribute(stage(), attribute, old);
                }
            }
        } catch (FileSystemException e) {
            throw new RefusedException(path() + ": its owner and mode cannot be kept: " + e.getReason() + "; remove it, or restore to another name");
        }
    }

    @Override
    boolean blank(long offset, long size) throws IOException {
        long data = Linux.seekData(medium().fd(), offset);
        return data < 0 || data >= offset + size;
    }

    @Override
    void zero(long offset, long size) throws IOException {
        try {
            if (Linux.punchHole(medium().fd(), offset, size)) {
                return;
            }
        } catch (SystemCallException e) {
            throw new DeviceException(name() + ": cannot write at " + offset + ": " + e.reason(), e);
        }
        medium().writeZeros(offset, size);
    }

    @Override
    void commit(long size) throws IOException {
        if (inPlace && oldSize > size) {
            Linux.truncate(medium().fd(), size);
        }
        medium().sync();
        if (!inPlace) {
            if (!exists && Files.exists(real, LinkOption.NOFOLLOW_LINKS)) {
                throw new RefusedException(path() + ": made by somebody else meanwhile; the image is complete as " + name());
            }
            Files.move(stage(), real, StandardCopyOption.ATOMIC_MOVE);
            syncFolder();
        }
    }

    private void syncFolder() throws IOException {
        try (FileChannel folder = FileChannel.open(real.getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }
}
