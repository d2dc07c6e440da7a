package varve.mounthelper;

import java.nio.file.Path;
import java.util.Optional;

/// How to restore.
///
/// @param inPlace read what the target holds and write only what differs
/// @param threads that decompress, hash, read and write
/// @param bytesPerSecond read and write at most so many of the target, 0 for no limit
/// @param background others are served from the same archives meanwhile, and may ask for parts before their turn
/// @param map salvage: what cannot be had becomes zeros, and this file says what that is; empty if it is an error
public record RestoreOptions(boolean inPlace, int threads, long bytesPerSecond, boolean background, Optional<Path> map) {

    /// {@return all or nothing, while nobody waits for it}
    public static RestoreOptions defaults() {
        return of(defaultThreads());
    }

    /// {@return the defaults, with another number of threads}
    public static RestoreOptions of(int threads) {
        return new RestoreOptions(false, threads, 0, false, Optional.empty());
    }

    public boolean salvage() {
        return map.isPresent();
    }

    /// {@return two for each core, since one waits for the target while the other computes; 8 at most, which is enough for
    /// most targets and bounds the memory}
    public static int defaultThreads() {
        return Math.min(8, 2 * Runtime.getRuntime().availableProcessors());
    }
}
