package varve.archive.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// Native memory for what is large and used over and over, such as rooms for frames: in pages of 2 MiB where the kernel has them.
///
/// To take a page for the first time costs a processor as much as to hash some ten pages, on a virtual machine more, and memory of an
/// [Arena] is taken at once, to be filled with zeros. This is zero, too, but takes room only where it is written, and one
/// large page costs hardly more than one of 512 small ones. What is allocated lies close together, so that pages are full.
///
/// Thread-safe. The memory is given back when the arena closes.
public final class LargePages implements SegmentAllocator {

    private static final long PAGE = 2L << 20;
    private static final long REGION = 16 * PAGE;

    private final Arena arena;
    private MemorySegment region = MemorySegment.NULL;
    private long used;
    private long advised; // up to where pages are to be large

    public LargePages(Arena arena) {
        this.arena = arena;
    }

    @Override
    public synchronized MemorySegment allocate(long size, long alignment) {
        long from = (used + alignment - 1) & -alignment;
        if (from + size > region.byteSize()) {
            try {
                region = reserve(Math.max(REGION, (size + PAGE - 1) & -PAGE));
                from = 0;
                advised = 0;
            } catch (IOException e) {
                return arena.allocate(size, alignment); // which says that there is no memory, or has some
            }
        }
        used = from + size;
        advise();
        return region.asSlice(from, size);
    }

    /// pages of which half is in use are large: who takes little is not to wait until the kernel has made room for a large one
    private void advise() {
        long whole = (used + PAGE / 2) & -PAGE;
        if (whole > advised) {
            Linux.adviseLargePages(region.asSlice(advised, Math.min(whole, region.byteSize()) - advised));
            advised = whole;
        }
    }

    /// {@return memory that begins with a large page}
    private MemorySegment reserve(long size) throws IOException {
        MemorySegment all = Linux.reserve(size + PAGE, arena);
        return all.asSlice(-all.address() & (PAGE - 1), size);
    }
}
