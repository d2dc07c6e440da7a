package varve.archive.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Which pages of a file or block device are in the page cache, without bringing any in.
///
/// So a reader can drop just the pages that it brought in itself, and leave those of others. The part of the file in question
/// is mapped for a moment, but the mapping is never touched: the kernel is asked by mincore(2). It answers only to who may
/// write the file or owns it; to others every page is said to be cached, and so it is where a file cannot be mapped. The
/// answer is of the moment.
///
/// Thread-safe. The descriptor belongs to the caller.
///
/// @param fd of the file
/// @param size of the file
public record Residency(int fd, long size) {
    /// Pages asked for at once: 64 MiB of the file for 16 KiB of answers.
    private static final int PAGES_AT_ONCE = 16 * 1024;

    private static final int PAGE_SIZE = Linux.pageSize();

    /// Receives ranges, in bytes.
    @FunctionalInterface
    public interface RangeConsumer {
        void accept(long offset, long size) throws IOException;
    }

    /// Reports the parts of a range that are not in the page cache, ascending and as long as possible. Their bounds are
    /// pages', cut to the range.
    public void missing(long offset, long length, RangeConsumer each) throws IOException {
        long end = Math.min(offset + length, size);
        long start = -1; // of the run of missing pages at hand
        try (Arena arena = Arena.ofConfined()) {
            long window = offset / PAGE_SIZE * PAGE_SIZE;
            MemorySegment pages = arena.allocate(Math.clamp((end - window + PAGE_SIZE - 1) / PAGE_SIZE, 1, PAGES_AT_ONCE));
            while (window < end) {
                long windowEnd = Math.min(window + (long) PAGES_AT_ONCE * PAGE_SIZE, end);
                ask(window, windowEnd - window, pages);
                for (long page = window; page < windowEnd; page += PAGE_SIZE) {
                    boolean cached = (pages.get(JAVA_BYTE, (page - window) / PAGE_SIZE) & 1) != 0;
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

    private void ask(long offset, long length, MemorySegment pages) throws IOException {
        MemorySegment mapping;
        try {
            mapping = Linux.map(fd, offset, length);
        } catch (SystemCallException e) {
            pages.fill((byte) 1);
            return;
        }
        try {
            Linux.mincore(mapping, pages);
        } finally {
            Linux.unmap(mapping);
        }
    }
}
