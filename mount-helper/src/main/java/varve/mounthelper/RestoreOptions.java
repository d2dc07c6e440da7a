package varve.mounthelper;

/// How to restore.
///
/// @param inPlace read what the target holds and write only what differs
/// @param threads that decompress, hash, read and write
/// @param bytesPerSecond read and write at most so many of the target, 0 for no limit
public record RestoreOptions(boolean inPlace, int threads, long bytesPerSecond) {

    public static RestoreOptions defaults() {
        return new RestoreOptions(false, defaultThreads(), 0);
    }

    /// {@return two for each core, since one waits for the target while the other computes; 8 at most, which is enough for
    /// most targets and bounds the memory}
    public static int defaultThreads() {
        return Math.min(8, 2 * Runtime.getRuntime().availableProcessors());
    }
}
