package varve.mounthelper.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import varve.archive.block.BlockSource;
import varve.archive.block.BlockTarget;
import varve.archive.vault.NotFoundException;

/// A writable export in an array, the only one of its server: what an overlay will be to it.
final class MemoryExport implements Export, Exports {

    final byte[] bytes;
    final AtomicInteger flushes = new AtomicInteger();
    final AtomicInteger open = new AtomicInteger();
    private final LongConsumer whenRead;

    /// @param whenRead is run by each read, with its offset
    MemoryExport(byte[] bytes, LongConsumer whenRead) {
        this.bytes = bytes;
        this.whenRead = whenRead;
    }

    MemoryExport(byte[] bytes) {
        this(bytes, offset -> {});
    }

    @Override
    public List<Export> list() {
        return List.of(this);
    }

    @Override
    public Export find(String name) throws IOException {
        if (!name.equals(name())) {
            throw new NotFoundException("no export \"" + name + "\"");
        }
        return this;
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public String description() {
        return "an array";
    }

    @Override
    public long size() {
        return bytes.length;
    }

    @Override
    public boolean writable() {
        return true;
    }

    @Override
    public BlockSource open() {
        open.incrementAndGet();
        return new Target();
    }

    private final class Target implements BlockTarget {
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
}
