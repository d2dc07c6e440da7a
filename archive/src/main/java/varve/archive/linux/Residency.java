package varve.archive.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Which pages of a file or block device are in the page cache, without bringing any in.
///
/// So a reader can drop just the pages that it brought in itself, and leave those of others. The file is mapped when it is first
/// asked for, but cannot be read through the mapping: the kernel is asked by mincore(2). It answers only to who may
/// write the file or owns it; to others every page is said to be cached, and so it is where a file cannot be mapped. The
/// answer is of the moment.
///
/// Thread-safe. The descriptor belongs to the caller. Close it, when nobody asks any more.
public final class Residency implements AutoCloseable {
    /// Pages asked for at once: 64 MiB of the file for 16 KiB of answers.
    private static final int PAGES_AT_ONCE = 16 * 1024;

    private static final int PAGE_SIZE = Linux.pageSize();
    private static final MemorySegment CACHED = MemorySegment.ofArray(cached()).asReadOnly();

    private final int fd;
    private final long size;
    private @Nullable MemorySegment mapping; // empty if the file cannot be mapped

    /// @param fd of the file
    /// @param size of the file
    public Residency(int fd, long size) {
        this.fd = fd;
        this.size = size;
    }

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
                if (start < 0 && allCached(pages, windowEnd - window)) { // as most are
                    window = windowEnd;
                    continue;
                }
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

    private static byte[] cached() {
        byte[] cached = new byte[PAGES_AT_ONCE];
        Arrays.fill(cached, (byte) 1);
        return cached;
    }

    /// whether the kernel said of each page that it is in the cache, and no more
    private static boolean allCached(MemorySegment pages, long length) {
        long count = (length + PAGE_SIZE - 1) / PAGE_SIZE;
        return pages.asSlice(0, count).mismatch(CACHED.asSlice(0, count)) < 0;
    }

    private void ask(long offset, long length, MemorySegment pages) throws IOException {
        MemorySegment all = mapping();
        if (all.byteSize() == 0) {
            pages.fill((byte) 1);
        } else {
            Linux.mincore(all.asSlice(offset, length), pages);
        }
    }

    private synchronized MemorySegment mapping() {
        if (mapping == null) {
            try {
                mapping = Linux.map(fd, size);
            } catch (IOException e) {
                mapping = MemorySegment.NULL;
            }
        }
        return mapping;
    }

    @Override
    public synchronized void close() throws IOException {
        if (mapping != null && mapping.byteSize() > 0) {
            Linux.unmap(mapping);
        }
        mapping = MemorySegment.NULL;
    }
}
