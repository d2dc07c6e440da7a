package varve.mounthelper;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import varve.archive.block.BlockTarget;

/// A block target in an array, opened as often as one likes.
public final class MemoryTarget implements BlockTarget {

    public final byte[] bytes;
    public final AtomicInteger flushes = new AtomicInteger();
    public final AtomicInteger open = new AtomicInteger();
    private final LongConsumer whenRead;

    /// @param whenRead is run by each read, with its offset
    public MemoryTarget(byte[] bytes, LongConsumer whenRead) {
        this.bytes = bytes;
        this.whenRead = whenRead;
    }

    public MemoryTarget opened() {
        open.incrementAndGet();
        return this;
    }

    @Override
    public long size() {
        return bytes.length;
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public void read(long offset, MemorySegment into) {
        whenRead.accept(offset);
        synchronized (bytes) {
            into.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, into.byteSize()));
        }
    }

    @Override
    public void write(long offset, MemorySegment from) {
        synchronized (bytes) {
            MemorySegment.ofArray(bytes).asSlice(offset, from.byteSize()).copyFrom(from);
        }
    }

    @Override
    public void zero(long offset, long size, boolean allocated) {
        synchronized (bytes) {
            Arrays.fill(bytes, (int) offset, (int) (offset + size), (byte) 0);
        }
    }

    @Override
    public void discard(long offset, long size) {
        zero(offset, size, false);
    }

    @Override
    public void flush() {
        flushes.incrementAndGet();
    }

    @Override
    public void close() {
        open.decrementAndGet();
    }
}
