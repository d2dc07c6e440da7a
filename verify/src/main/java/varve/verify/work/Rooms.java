package varve.verify.work;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import varve.archive.linux.LargePages;

/// Native memory that is lent and given back: rooms of powers of two, so that what one frame leaves serves another.
///
/// Thread-safe. Closing it takes back all rooms, also those that are still lent.
public final class Rooms implements AutoCloseable {

    private static final int PAGE_LOG = 12;
    private static final int LARGEST_LOG = 27;

    private final Arena arena = Arena.ofShared();
    private final SegmentAllocator memory = new LargePages(arena);
    private final List<Deque<MemorySegment>> free = new ArrayList<>();

    public Rooms() {
        for (int log = 0; log <= LARGEST_LOG; log++) {
            free.add(new ArrayDeque<>());
        }
    }

    /// {@return a room of at least `size` bytes, with anything in it}
    public synchronized MemorySegment take(long size) {
        int log = Math.max(PAGE_LOG, Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, size - 1)));
        MemorySegment room = free.get(log).poll();
        return room != null ? room : memory.allocate(1L << log, 1 << PAGE_LOG);
    }

    /// @param room as it was taken
    public synchronized void giveBack(MemorySegment room) {
        free.get(Long.numberOfTrailingZeros(room.byteSize())).push(room);
    }

    @Override
    public void close() {
        arena.close();
    }
}
