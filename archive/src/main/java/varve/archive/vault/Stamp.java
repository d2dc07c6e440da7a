package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What a file or folder is known by, so that it shows whether it has changed since: whatever changes it, changes that too.
///
/// @param inode of it
/// @param size in bytes
/// @param changed when it was last changed, in nanoseconds: its `ctime`, which nobody can set
record Stamp(long inode, long size, long changed) {

    private static final long TICK_NANOS = TimeUnit.SECONDS.toNanos(3); // FAT has one of 2 s

    /// {@return the stamp of a file or folder; empty if it was changed just before, since within one tick of a file system's clock it can change
    /// twice, if its clock is ahead of ours, or if there is no such thing}
    static Optional<Stamp> of(Path path) {
        try {
            Map<String, Object> attributes = Files.readAttributes(path, "unix:ino,size,ctime");
            long changed = ((FileTime) attributes.get("ctime")).to(TimeUnit.NANOSECONDS);
            long age = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - changed;
            return age < TICK_NANOS ? Optional.empty() : Optional.of(new Stamp((long) attributes.get("ino"), (long) attributes.get("size"), changed));
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return Optional.empty(); // no file system of Unix, or no file
        }
    }
}
