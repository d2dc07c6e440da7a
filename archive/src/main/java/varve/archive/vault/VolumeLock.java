package varve.archive.vault;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import varve.archive.file.Folder;
import varve.archive.format.Manifest;
import varve.archive.linux.Linux;

/// The right to write to a volume: a kernel file lock, which dies with its owner however that dies.
///
/// Beside the lock lies a line that says who holds it, for people; nothing depends on it.
public final class VolumeLock implements Closeable {

    private static final long POLL_MILLIS = 200;

    private final int fd;

    private VolumeLock(int fd) {
        this.fd = fd;
    }

    /// Takes the lock.
    ///
    /// @param wait how long to wait for another holder
    /// @param purpose what for, in the message that others get
    /// @throws LockedException if another process holds it all that time; says who and since when
    public static VolumeLock acquire(Path folder, Duration wait, String purpose) throws IOException, InterruptedException {
        Folder.create(folder);
        Path file = folder.resolve(".varve-lock");
        try {
            Files.createFile(file);
        } catch (FileAlreadyExistsException e) {
            // of an earlier run; the lock is the kernel's, not the file
        }
        Path holder = folder.resolve(".varve-lock-holder");
        int fd = Linux.open(file, Linux.O_RDWR);
        try {
            long end = System.nanoTime() + wait.toNanos();
            while (!Linux.flock(fd, true, false)) {
                if (System.nanoTime() - end >= 0) {
                    throw new LockedException(folder + ": locked by " + who(holder));
                }
                Thread.sleep(POLL_MILLIS);
            }
            sign(holder, purpose);
            return new VolumeLock(fd);
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
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
        Linux.close(fd);
    }
}
