package varve.mounthelper;

import org.jspecify.annotations.Nullable;

/// Hands out the chunks of an image to several threads, in stretches of consecutive ones.
///
/// Long stretches are good: a frame of a delta holds chunks from a few dozen MiB of the device, and whoever reads them all
/// decodes it once. But the threads should end together. So stretches begin long and get shorter toward the end. Where they begin
/// depends on the image and the number of threads alone: the run that continues an interrupted one finds each stretch
/// done up to some chunk.
final class Stretches {

    private static final long SHORTEST = 32L << 20;
    private static final long LONGEST = 512L << 20;

    private final int chunkLog;
    private final int threads;
    private final long end;
    private long next;
    private volatile boolean stopped;

    /// Chunks from `first` to before `end`.
    record Stretch(long first, long end) {}

    Stretches(long chunks, int chunkLog, int threads) {
        this.end = chunks;
        this.chunkLog = chunkLog;
        this.threads = threads;
    }

    /// {@return the next stretch, or null if there is none}
    synchronized @Nullable Stretch next() {
        if (stopped || next == end) {
            return null;
        }
        long share = ((end - next) << chunkLog) / (4L * threads);
        long count = Math.max(1, Math.clamp(share, SHORTEST, LONGEST) >>> chunkLog);
        long first = next;
        next = Math.min(end, first + count);
        return new Stretch(first, next);
    }

    /// Ends it: another thread has failed.
    void stop() {
        stopped = true;
    }

    boolean stopped() {
        return stopped;
    }
}
