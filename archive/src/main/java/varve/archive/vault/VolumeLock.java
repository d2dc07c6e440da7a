package varve.archive.vault;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import varve.archive.block.DeviceException;
import varve.archive.file.Folder;
import varve.archive.format.Manifest;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;

/// The right to write to a volume: a kernel file lock, which dies with its owner however that dies.
///
/// Beside the lock lies a line that says who holds it, for people. It is taken away when the lock is let go: one that stays without
/// a lock is of a job that died ([#holder]).
///
/// The folder of the volume is made for the lock. If nothing has come into it when the lock is let go, it is taken away again.
public final class VolumeLock implements Closeable {

    private static final long POLL_MILLIS = 200;
    private static final int MOST_TRIES = 10;

    private static final String FILE = ".varve-lock";
    private static final String HOLDER = ".varve-lock-holder";

    private final Path folder;
    private final boolean made;
    private final int fd;

    /// Who holds the lock, or died with it.
    ///
    /// @param who the line that it left
    /// @param since when the lock was taken, by the clock of the file system
    public record Holder(String who, Instant since) {}

    /// @param made whether the folder was made for this lock
    private VolumeLock(Path folder, boolean made, int fd) {
        this.folder = folder;
        this.made = made;
        this.fd = fd;
    }

    /// Takes the lock.
    ///
    /// @param wait how long to wait for another holder
    /// @param purpose what for, in the message that others get
    /// @throws LockedException if another process holds it all that time; says who and since when
    public static VolumeLock acquire(Path folder, Duration wait, String purpose) throws IOException, InterruptedException {
        boolean made = !Files.exists(folder, LinkOption.NOFOLLOW_LINKS);
        Path holder = folder.resolve(HOLDER);
        long end = System.nanoTime() + wait.toNanos();
        while (true) {
            int fd = open(folder);
            try {
                while (!Linux.flock(fd, true, false)) {
                    if (System.nanoTime() - end >= 0) {
                        throw new LockedException(folder + ": locked by " + who(holder));
                    }
                    Thread.sleep(POLL_MILLIS);
                }
                if (isThatOf(folder, fd)) {
                    sign(holder, purpose);
                    return new VolumeLock(folder, made, fd);
                }
            } catch (Throwable e) {
                Linux.close(fd);
                throw e;
            }
            Linux.close(fd); // of a folder that was taken away meanwhile
        }
    }

    private static int open(Path folder) throws IOException {
        for (int i = 0; ; i++) {
            try {
                Folder.create(folder);
                Path file = folder.resolve(FILE);
                try {
                    Files.createFile(file);
                } catch (FileAlreadyExistsException e) {
                    // of an earlier run; the lock is the kernel's, not the file
                }
                return Linux.open(file, Linux.O_RDWR);
            } catch (NoSuchFileException e) {
                if (i == MOST_TRIES) { // else the folder was taken away meanwhile
                    throw e;
                }
            } catch (FileSystemException | SystemCallException e) {
                if (Files.getFileStore(folder.getParent()).isReadOnly()) {
                    throw new DeviceException(folder + ": its file system is mounted read-only, so nothing can be written there; mount it writable", e);
                }
                throw e;
            }
        }
    }

    private static boolean isThatOf(Path folder, int fd) throws IOException {
        return inode(folder).equals(OptionalLong.of((long) Files.getAttribute(Path.of("/proc/self/fd/" + fd), "unix:ino")));
    }

    private static void sign(Path holder, String purpose) {
        try {
            if (!Files.isRegularFile(holder, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(holder); // a link would have us write who knows where
            }
            Files.writeString(
                    holder,
                    "process " + ProcessHandle.current().pid() + ", " + purpose + ", since " + Manifest.text(Instant.now()) + "\n");
        } catch (IOException e) {
            // nothing depends on it; if there is no room, the archive will say so
        }
    }

    /// {@return who has signed for the lock of a folder and not signed off}
    public static Optional<Holder> holder(Path folder) throws IOException {
        Path holder = folder.resolve(HOLDER);
        try {
            return Optional.of(new Holder(who(holder), Files.getLastModifiedTime(holder, LinkOption.NOFOLLOW_LINKS).toInstant()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// {@return the inode of the lock of a folder, by which the kernel lists locks; empty if nobody ever took it}
    public static OptionalLong inode(Path folder) throws IOException {
        try {
            return OptionalLong.of((long) Files.getAttribute(folder.resolve(FILE), "unix:ino"));
        } catch (NoSuchFileException e) {
            return OptionalLong.empty();
        }
    }

    private static String who(Path holder) {
        try {
            byte[] text = Folder.read(holder, 200);
            return new String(text, 0, Math.min(text.length, 200), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return "another process";
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Files.deleteIfExists(folder.resolve(HOLDER)); // before others may sign
        } catch (IOException e) {
            // it then looks as if we had died, and the next job signs over it
        }
        if (made) {
            removeIfEmpty();
        }
        Linux.close(fd);
    }

    private void removeIfEmpty() {
        try {
            boolean empty;
            try (Stream<Path> files = Files.list(folder)) {
                empty = files.allMatch(file -> file.getFileName().toString().equals(FILE));
            }
            if (empty) {
                Files.deleteIfExists(folder.resolve(FILE));
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            // an empty folder does no harm
        }
    }
}
