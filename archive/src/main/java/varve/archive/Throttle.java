package varve.archive;

import java.io.InterruptedIOException;
import java.util.concurrent.locks.LockSupport;

/// Keeps a rate: whoever is ahead of it sleeps.
final class Throttle {

    private static final long SECOND = 1_000_000_000L;

    private final long bytesPerSecond;
    private final long start = System.nanoTime();
    private long taken;

    /// @param bytesPerSecond 0 for no limit
    Throttle(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }

    void take(long bytes) throws InterruptedIOException {
        if (bytesPerSecond <= 0) {
            return;
        }
        taken += bytes;
        long due = (long) ((double) taken / bytesPerSecond * SECOND);
        for (long left = due - (System.nanoTime() - start); left > 0; left = due - (System.nanoTime() - start)) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedIOException("interrupted");
            }
        }
    }
}
