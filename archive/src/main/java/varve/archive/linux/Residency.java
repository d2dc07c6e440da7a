package varve.archive.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Which pages of a file or block device are in the page cache, without bringing any in.
///
/// So a reader can drop just the pages that it brought in itself, and leave those of others. The file is mapped, but
/// the mapping is never touched: the kernel is asked by mincore(2). It answers only to who may write the file or owns
/// it; to others every page is said to be cached. The answer is of the moment.
///
/// Thread-safe until closed.
public final class Residency implements AutoCloseable {
    /// Pages asked for at once: 64 MiB of the file for 16 KiB of answers.
    private static final int PAGES_AT_ONCE = 16 * 1024;

    private final MemorySegment mapping;
    private final int pageSize;

    private Residency(MemorySegment mapping) {
        this.mapping = mapping;
        this.pageSize = Linux.pageSize();
    }

    /// Maps the first `size` bytes of a file; the descriptor may be closed afterwards.
    public static Residency of(int fd, long size) throws IOException {
        return new Residency(size == 0 ? MemorySegment.NULL : Linux.map(fd, size));
    }

    /// Receives ranges, in bytes.
    @FunctionalInterface
    public interface RangeConsumer {
        void accept(long offset, long size) throws IOException;
    }

    /// Reports the parts of a range that are not in the page cache, ascending and as long as possible. Their bounds are
    /// pages', cut to the range.
    public void missing(long offset, long size, RangeConsumer each) throws IOException {
        long end = Math.min(offset + size, mapping.byteSize());
        long start = -1; // of the run of missing pages at hand
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(PAGES_AT_ONCE);
            long window = offset / pageSize * pageSize;
            while (window < end) {
                long windowEnd = Math.min(window + (long) PAGES_AT_ONCE * pageSize, end);
                Linux.mincore(mapping.asSlice(window, windowEnd - window), pages);
                for (long page = window; page < windowEnd; page += pageSize) {
                    boolean cached = (pages.get(JAVA_BYTE, (page - window) / pageSize) & 1) != 0;
                    if (!cached && start < 0) {
                        start = Math.max(page, offset);
                    } else if (cached && start >= 0) {
                        each.accept(start, page - start);
                        start = -1;
                    }
                }
                window = windowEnd;
            }
        }
        if (start >= 0) {
            each.accept(start, end - start);
        }
    }

    @Override
    public void close() throws IOException {
        if (mapping.byteSize() > 0) {
            Linux.unmap(mapping);
        }
    }
}
