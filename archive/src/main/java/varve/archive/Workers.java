package varve.archive;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import varve.archive.block.Geometry;
import varve.archive.codec.ZeroFrame;
import varve.archive.linux.Linux;

/// A fixed pool of threads, each with a tool of its own to work with, such as a [Press].
final class Workers<P extends Workers.Tool> implements AutoCloseable {

    private final ExecutorService pool;
    private final BlockingQueue<P> idle;
    private final List<P> all = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment zeroFrame = arena.allocate(ZeroFrame.encodedSize(Geometry.MAX_ZERO_NODE), 8);

    /// What one thread works with at a time; not always the same thread, and another one closes it.
    interface Tool extends AutoCloseable {
        @Override
        void close();
    }

    /// A piece of work.
    interface Job<P, T> {
        T with(P press) throws IOException;
    }

    /// @param idlePriority whether disk reads wait for everybody else's
    Workers(int threads, boolean idlePriority, Supplier<P> presses) {
        this.idle = new ArrayBlockingQueue<>(threads);
        for (int i = 0; i < threads; i++) {
            P press = presses.get();
            all.add(press);
            idle.add(press);
        }
        this.pool = Executors.newFixedThreadPool(threads, task -> Thread.ofPlatform()
                .name("varve-worker")
                .daemon()
                .unstarted(() -> {
                    if (idlePriority) {
                        Linux.ioprioIdle();
                    }
                    task.run();
                }));
    }

    int threads() {
        return all.size();
    }

    <T> Future<T> submit(Job<? super P, T> job) {
        return pool.submit(() -> {
            P press = idle.take();
            try {
                return job.with(press);
            } finally {
                idle.add(press);
            }
        });
    }

    /// {@return the frame of a zero node, until the next call; for the leading thread}
    MemorySegment zeroFrame(long size) {
        return zeroFrame.asSlice(0, ZeroFrame.encode(size, zeroFrame));
    }

    /// Waits for a result.
    static <T> T result(Future<T> future) throws IOException {
        return call(() -> {
            try {
                return future.get();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Exception cause) {
                    throw cause;
                }
                throw (Error) e.getCause();
            }
        });
    }

    static <T> T call(Callable<T> call) throws IOException {
        try {
            return call.call();
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        pool.shutdownNow();
        pool.close();
        all.forEach(Tool::close);
        arena.close();
    }
}
