package varve.archive;

import java.io.InterruptedIOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Keeps a rate: whoever is ahead of it sleeps.
///
/// Safe for use by several threads, which share the rate.
public final class Throttle {

    private static final long SECOND = 1_000_000_000L;

    private final long bytesPerSecond;
    private final long start = System.nanoTime();
    private final AtomicLong taken = new AtomicLong();

    /// @param bytesPerSecond 0 for no limit
    public Throttle(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }

    /// Waits until all that was taken, `bytes` included, is due.
    ///
    /// @throws InterruptedIOException if the thread is interrupted
    public void take(long bytes) throws InterruptedIOException {
        if (bytesPerSecond <= 0) {
            return;
        }
        long due = (long) ((double) taken.addAndGet(bytes) / bytesPerSecond * SECOND);
        for (long left = due - (System.nanoTime() - start); left > 0; left = due - (System.nanoTime() - start)) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedIOException("interrupted");
            }
        }
    }
}
