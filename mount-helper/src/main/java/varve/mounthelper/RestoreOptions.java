package varve.mounthelper;

/// How to restore.
///
/// @param inPlace read what the target holds and write only what differs
/// @param threads that decompress, hash, read and write
/// @param bytesPerSecond read and write at most so many of the target, 0 for no limit
/// @param background others are served from the same archives meanwhile, and may ask for parts before their turn
public record RestoreOptions(boolean inPlace, int threads, long bytesPerSecond, boolean background) {

    public RestoreOptions(boolean inPlace, int threads, long bytesPerSecond) {
        this(inPlace, threads, bytesPerSecond, false);
    }

    public static RestoreOptions defaults() {
        return new RestoreOptions(false, defaultThreads(), 0);
    }

    /// {@return two for each core, since one waits for the target while the other computes; 8 at most, which is enough for
    /// most targets and bounds the memory}
    public static int defaultThreads() {
        return Math.min(8, 2 * Runtime.getRuntime().availableProcessors());
    }
}
