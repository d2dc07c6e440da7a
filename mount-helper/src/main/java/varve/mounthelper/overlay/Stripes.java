package varve.mounthelper.overlay;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;

/// Locks on ranges of blocks, so many at a time that those who work in different places hardly ever meet.
final class Stripes {

    private static final int COUNT = 64;
    private static final int BLOCKS_LOG = 6; // that go to one stripe in a row

    private final ReadWriteLock[] locks =
            Stream.generate(ReentrantReadWriteLock::new).limit(COUNT).toArray(ReadWriteLock[]::new);

    /// What is locked, until it is closed by the same thread.
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /// Keeps writers out of some blocks.
    Held reading(long first, long count) {
        return hold(first, count, false);
    }

    /// Keeps everybody else out of some blocks.
    Held writing(long first, long count) {
        return hold(first, count, true);
    }

    private Held hold(long first, long count, boolean alone) {
        long from = first >>> BLOCKS_LOG;
        long stripes = Math.min(COUNT, (first + count - 1 >>> BLOCKS_LOG) - from + 1);
        long wanted = Long.rotateLeft(-1L >>> COUNT - stripes, (int) from);
        for (long rest = wanted; rest != 0; rest &= rest - 1) { // in one order, so that nobody waits for the other way round
            lock(rest, alone).lock();
        }
        return () -> {
            for (long rest = wanted; rest != 0; rest &= rest - 1) {
                lock(rest, alone).unlock();
            }
        };
    }

    private Lock lock(long rest, boolean alone) {
        ReadWriteLock lock = locks[Long.numberOfTrailingZeros(rest)];
        return alone ? lock.writeLock() : lock.readLock();
    }
}
