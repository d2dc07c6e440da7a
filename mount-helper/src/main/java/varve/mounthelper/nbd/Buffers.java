package varve.mounthelper.nbd;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import varve.mounthelper.image.Slab;

/// The memory that all requests under way share. Who asks for a buffer waits until there is room, first come, first served; who
/// waits for long has the server look for a client that holds buffers for nothing.
///
/// Safe for use by several threads.
final class Buffers implements AutoCloseable {

    private static final int LOOKS = 4; // in the time of patience

    private final Slab slab;
    private final Queue<Object> queue = new ArrayDeque<>();
    private final long patienceNanos;
    private final Runnable relief;

    /// @param size of the memory in bytes
    /// @param patience after how long of waiting `relief` is run
    /// @param relief makes a client let go of its buffers, if it can
    Buffers(long size, Duration patience, Runnable relief) throws IOException {
        this.slab = new Slab(size);
        this.patienceNanos = patience.toNanos();
        this.relief = relief;
    }

    /// {@return a buffer, which is given back by [#free]}
    MemorySegment take(long size) throws IOException {
        Object ticket = new Object();
        synchronized (this) {
            queue.add(ticket);
            try {
                return await(ticket, size);
            } finally {
                queue.remove(ticket);
                notifyAll();
            }
        }
    }

    private MemorySegment await(Object ticket, long size) throws IOException {
        long start = System.nanoTime();
        while (true) {
            MemorySegment buffer = takeNow(ticket, size);
            if (buffer != null) {
                return buffer;
            }
            try {
                TimeUnit.NANOSECONDS.timedWait(this, Math.max(1_000_000, patienceNanos / LOOKS));
            } catch (InterruptedException e) {
                throw new InterruptedIOException();
            }
            if (System.nanoTime() - start > patienceNanos) {
                relief.run();
            }
        }
    }

    private @Nullable MemorySegment takeNow(Object ticket, long size) {
        return queue.peek() == ticket ? slab.take(size) : null;
    }

    synchronized void free(MemorySegment buffer) {
        slab.free(buffer);
        notifyAll();
    }

    @Override
    public void close() {
        slab.close();
    }
}
