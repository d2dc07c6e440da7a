package varve.verify.work;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/// A fixed pool of threads, each with a bench of its own to work at, whose results come back in the order of the work.
///
/// @param <B> what a thread needs: memory, a hasher, a reader
public final class Crew<B extends Crew.Bench> implements AutoCloseable {

    private static final int FLIGHTS = 4; // for each thread, so that none waits for the leader

    private final ExecutorService pool;
    private final BlockingQueue<B> idle;
    private final List<B> benches = new ArrayList<>();

    /// What one thread works at.
    public interface Bench extends AutoCloseable {
        @Override
        void close();
    }

    /// A piece of work.
    public interface Job<B, U, R> {
        R at(B bench, U unit) throws IOException;
    }

    /// Takes results in order, on the leader's thread.
    public interface Taker<R> {
        void take(R result) throws IOException;
    }

    public Crew(int threads, Supplier<B> bench) {
        idle = new ArrayBlockingQueue<>(threads);
        for (int i = 0; i < threads; i++) {
            benches.add(bench.get());
        }
        idle.addAll(benches);
        pool = Executors.newFixedThreadPool(
                threads, task -> Thread.ofPlatform().name("varve-verify").daemon().unstarted(task));
    }

    /// {@return how many units are on their way at most}
    public int flights() {
        return benches.size() * FLIGHTS;
    }

    /// Works through all units. The units are asked for, and the results handed over, on the calling thread.
    public <U, R> void run(Iterator<U> units, Job<B, U, R> job, Taker<R> results) throws IOException {
        Deque<Future<R>> flights = new ArrayDeque<>();
        while (units.hasNext() || !flights.isEmpty()) {
            while (units.hasNext() && flights.size() < flights()) {
                U unit = units.next();
                flights.add(pool.submit(() -> {
                    B bench = idle.take();
                    try {
                        return job.at(bench, unit);
                    } finally {
                        idle.add(bench);
                    }
                }));
            }
            results.take(result(flights.remove()));
        }
    }

    /// {@return what comes of work on another thread} Waits for it; what it throws is thrown here.
    public static <R> R result(Future<R> flight) throws IOException {
        try {
            return flight.get();
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e.getCause());
            }
        }
    }

    @Override
    public void close() {
        pool.shutdownNow();
        pool.close();
        benches.forEach(Bench::close);
    }
}
