package varve.mounthelper;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// Hands out the chunks of an image to several threads, in stretches of consecutive ones.
///
/// Long stretches are good: a frame of a delta holds chunks from a few dozen MiB of the device, and whoever reads them all
/// decodes it once. But the threads should end together. So stretches begin long and get shorter toward the end. Where they begin
/// depends on the image and the number of threads alone: the run that continues an interrupted one finds each stretch
/// done up to some chunk. Chunks that somebody waits for come first, with their neighbours.
final class Stretches {

    static final long SHORTEST = 32L << 20;
    static final long LONGEST = 512L << 20;
    private static final int MOST_PREFERRED = 64;
    private static final int GROUP_LOG = 23; // bytes that are preferred together, unless chunks are larger

    private final int chunkLog;
    private final int threads;
    private final long longest;
    private final long end;
    private long next;
    private final BitSet ahead = new BitSet(); // groups that were handed out before their turn
    private final Deque<Long> preferred = new ArrayDeque<>(); // groups
    private volatile boolean stopped;

    /// Chunks from `first` to before `end`.
    record Stretch(long first, long end) {}

    /// @param longest bytes of a stretch: the more, the longer who is preferred may have to wait
    Stretches(long chunks, int chunkLog, int threads, long longest) {
        this.end = chunks;
        this.chunkLog = chunkLog;
        this.threads = threads;
        this.longest = longest;
    }

    /// {@return the next stretch, or null if there is none}
    synchronized @Nullable Stretch next() {
        for (Long group = preferred.poll(); group != null && !stopped; group = preferred.poll()) {
            long first = group << groupLog();
            if (first >= next && !ahead.get(Math.toIntExact(group))) {
                ahead.set(Math.toIntExact(group));
                return new Stretch(first, Math.min(end, first + (1L << groupLog())));
            }
        }
        skip();
        if (stopped || next == end) {
            return null;
        }
        long share = ((end - next) << chunkLog) / (4L * threads);
        long count = Math.max(1, Math.clamp(share, SHORTEST, longest) >>> chunkLog);
        long first = next;
        next = Math.min(taken(first), Math.min(end, first + count));
        return new Stretch(first, next);
    }

    /// Has the chunks around one handed out next, unless they have been.
    synchronized void prefer(long chunk) {
        long group = chunk >>> groupLog();
        if (group << groupLog() >= next && preferred.size() < MOST_PREFERRED && !ahead.get(Math.toIntExact(group))
                && !preferred.contains(group)) {
            preferred.add(group);
        }
    }

    private int groupLog() {
        return Math.max(0, GROUP_LOG - chunkLog);
    }

    /// goes past what was handed out before its turn
    private void skip() {
        while (next < end && ahead.get(Math.toIntExact(next >>> groupLog()))) {
            next = Math.min(end, ((next >>> groupLog()) + 1) << groupLog());
        }
    }

    /// {@return the first chunk after `first` that was handed out before its turn}
    private long taken(long first) {
        int group = ahead.nextSetBit(Math.toIntExact(first >>> groupLog()));
        return group < 0 ? end : (long) group << groupLog();
    }

    /// Ends it: another thread has failed.
    void stop() {
        stopped = true;
    }

    boolean stopped() {
        return stopped;
    }
}
