package varve.archive.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LargePagesTest {

    private static final long[] SIZES = {1, 4095, 4096, 700_000, 3 << 20, 40 << 20, 17, 33 << 20, 1 << 20};

    @Test
    void roomsAreAlignedZeroAndApart() {
        try (Arena arena = Arena.ofShared()) {
            LargePages pages = new LargePages(arena);
            List<MemorySegment> rooms = new ArrayList<>();
            for (long size : SIZES) {
                MemorySegment room = pages.allocate(size, 4096);
                assertEquals(size, room.byteSize());
                assertEquals(0, room.address() % 4096);
                assertEquals(-1, room.mismatch(arena.allocate(size)), "not zero");
                room.fill((byte) -1);
                rooms.add(room);
            }
            for (MemorySegment room : rooms) {
                rooms.stream().filter(other -> other != room).forEach(other -> assertEquals(true, other.asOverlappingSlice(room).isEmpty()));
            }
        }
    }

    @Test
    void goWithTheirArena() {
        MemorySegment room;
        try (Arena arena = Arena.ofShared()) {
            room = new LargePages(arena).allocate(8192, 4096);
            room.set(JAVA_BYTE, 8191, (byte) 1);
        }
        assertThrows(IllegalStateException.class, () -> room.get(JAVA_BYTE, 8191));
    }
}
