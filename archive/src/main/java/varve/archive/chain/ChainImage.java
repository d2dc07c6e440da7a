package varve.archive.chain;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedDeque;
import varve.archive.block.BlockSource;
import varve.archive.block.Geometry;

/// A chain as a device: every byte that is read was proved by its chunk's hash.
///
/// Safe for use by several threads: each read borrows a reader, and there are as many as ever read at once.
/// Closing it closes the chain.
public final class ChainImage implements BlockSource {

    private final Chain chain;
    private final ConcurrentLinkedDeque<Borrowed> idle = new ConcurrentLinkedDeque<>();

    /// A reader, and the chunk that it put together last: small reads come in rows.
    private static final class Borrowed {
        final ChainReader reader;
        final Arena arena = Arena.ofShared();
        final MemorySegment bytes;
        long chunk = -1;

        Borrowed(Chain chain) {
            reader = new ChainReader(chain);
            bytes = arena.allocate(chain.geometry().chunkSize(), 4096);
        }

        MemorySegment chunk(long number, long length) throws IOException {
            if (chunk != number) {
                chunk = -1;
                reader.read(number, bytes.asSlice(0, length));
                chunk = number;
            }
            return bytes;
        }
    }

    public ChainImage(Chain chain) {
        this.chain = chain;
    }

    public Chain chain() {
        return chain;
    }

    @Override
    public long size() {
        return chain.geometry().size();
    }

    @Override
    public String name() {
        return chain.name();
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        Geometry geometry = chain.geometry();
        if (offset < 0 || into.byteSize() > geometry.size() - offset) {
            throw new IndexOutOfBoundsException(into.byteSize() + " bytes at " + offset + " of " + geometry.size());
        }
        Borrowed borrowed = idle.poll();
        if (borrowed == null) {
            borrowed = new Borrowed(chain);
        }
        try {
            for (long done = 0; done < into.byteSize(); ) {
                long chunk = (offset + done) >>> geometry.chunkLog();
                long start = offset + done - geometry.offset(chunk);
                long length = geometry.length(chunk, 1);
                long part = Math.min(length - start, into.byteSize() - done);
                if (part == length) {
                    borrowed.reader.read(chunk, into.asSlice(done, part));
                } else {
                    MemorySegment.copy(borrowed.chunk(chunk, length), start, into, done, part);
                }
                done += part;
            }
        } finally {
            idle.push(borrowed);
        }
    }

    @Override
    public long dataFrom(long offset) throws IOException {
        long at = offset;
        while (at < size()) {
            Chain.Found found = chain.find(at >>> chain.geometry().chunkLog());
            if (!found.node().zero()) {
                return at;
            }
            at = Math.min(size(), chain.geometry().offset(found.node().end()));
        }
        return at;
    }

    @Override
    public long dataUntil(long offset) throws IOException {
        long at = offset;
        while (at < size()) {
            Chain.Found found = chain.find(at >>> chain.geometry().chunkLog());
            if (found.node().zero()) {
                return at;
            }
            at = Math.min(size(), chain.geometry().offset(found.node().end()));
        }
        return at;
    }

    @Override
    public void close() throws IOException {
        for (Borrowed borrowed = idle.poll(); borrowed != null; borrowed = idle.poll()) {
            borrowed.reader.close();
            borrowed.arena.close();
        }
        chain.close();
    }
}
