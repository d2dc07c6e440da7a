package varve.mounthelper.nbd;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Semaphore;

/// What one client may have of the [Buffers]: some of them, or a single one of any size. So a client with many large requests
/// does not keep others waiting for longer than that takes.
///
/// Safe for use by several threads.
final class Share {

    private static final int UNIT = 64 << 10;
    private static final int UNITS = (16 << 20) / UNIT;

    private final Buffers buffers;
    private final Semaphore free = new Semaphore(UNITS, true);
    private volatile boolean ended;

    Share(Buffers buffers) {
        this.buffers = buffers;
    }

    /// {@return a buffer, which is given back by [#free]}
    /// @throws ClosedChannelException if the client is gone
    MemorySegment take(long size) throws IOException {
        try {
            free.acquire(units(size));
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
        try {
            if (ended) {
                throw new ClosedChannelException();
            }
            return buffers.take(size);
        } catch (Throwable e) {
            free.release(units(size));
            throw e;
        }
    }

    void free(MemorySegment buffer) {
        buffers.free(buffer);
        free.release(units(buffer.byteSize()));
    }

    /// Gives out no more: the client is gone.
    void end() {
        ended = true;
    }

    /// {@return how much it has, or waits for, in units}
    int held() {
        return UNITS - free.availablePermits();
    }

    private static int units(long size) {
        return (int) Math.min(UNITS, size / UNIT + 1);
    }
}
