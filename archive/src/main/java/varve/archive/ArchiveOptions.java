package varve.archive;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import varve.archive.hash.Hash;
import varve.archive.seal.Recipient;

/// How to archive.
///
/// @param full a full even if there is something to make a delta against
/// @param level of zstd
/// @param chunkLog chunk size as a power of two, for a new volume
/// @param threads that read, hash and compress
/// @param bytesPerSecond read at most so many, 0 for no limit
/// @param idle let everybody else's disk reads go first
/// @param label free text for the point in time
/// @param dryRun find out what would be stored, store nothing
/// @param changes a change list that says what to read of the device
/// @param time of the point in time, if it is not now
/// @param root that the device must turn out to have
/// @param recipients for whom to seal; empty for whom the volume is sealed already, if it is
public record ArchiveOptions(
        boolean full,
        int level,
        OptionalInt chunkLog,
        int threads,
        long bytesPerSecond,
        boolean idle,
        Optional<String> label,
        boolean dryRun,
        Optional<ListedChanges> changes,
        Optional<Instant> time,
        Optional<Hash> root,
        List<Recipient> recipients) {

    public static final int DEFAULT_LEVEL = 3;

    /// Options without a change list.
    public ArchiveOptions(
            boolean full,
            int level,
            OptionalInt chunkLog,
            int threads,
            long bytesPerSecond,
            boolean idle,
            Optional<String> label,
            boolean dryRun) {
        this(full, level, chunkLog, threads, bytesPerSecond, idle, label, dryRun, Optional.empty(), Optional.empty(), Optional.empty(), List.of());
    }

    /// {@return how many threads read what a change list names, and what it does not}: more, since they wait for many small reads
    int threadsOfList() {
        return 3 * threads;
    }

    /// {@return the same with a change list}
    public ArchiveOptions with(ListedChanges list) {
        return new ArchiveOptions(full, level, chunkLog, threads, bytesPerSecond, idle, label, dryRun, Optional.of(list), time, root, recipients);
    }

    /// {@return the same for a device that was so at some other time, and is known to have a root}
    public ArchiveOptions of(Optional<Instant> past, Optional<Hash> known) {
        return new ArchiveOptions(full, level, chunkLog, threads, bytesPerSecond, idle, label, dryRun, changes, past, known, recipients);
    }

    /// {@return the same with another label}
    public ArchiveOptions labelled(Optional<String> text) {
        return new ArchiveOptions(full, level, chunkLog, threads, bytesPerSecond, idle, text, dryRun, changes, time, root, recipients);
    }

    /// {@return the same, but nothing is stored}
    public ArchiveOptions rehearsed() {
        return new ArchiveOptions(full, level, chunkLog, threads, bytesPerSecond, idle, label, true, changes, time, root, recipients);
    }

    /// {@return the same for other recipients}
    public ArchiveOptions with(List<Recipient> others) {
        return new ArchiveOptions(full, level, chunkLog, threads, bytesPerSecond, idle, label, dryRun, changes, time, root, others);
    }

    public static ArchiveOptions defaults() {
        return new ArchiveOptions(
                false,
                DEFAULT_LEVEL,
                OptionalInt.empty(),
                Runtime.getRuntime().availableProcessors(),
                0,
                false,
                Optional.empty(),
                false);
    }
}
