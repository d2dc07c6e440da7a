package varve.archive;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.Fold;
import varve.archive.format.Node;

/// The contents of frames of other archives, decoded by workers a little ahead of need.
///
/// Pieces of chunks are first announced and then taken, in the same order. In that order, too, frames get one of a fixed number of
/// rooms and are decoded; a frame whose pieces were all taken keeps its room until another needs it. So a frame is decoded once as
/// long as those that the current part of the device needs fit into the rooms, and a long chain costs time and not memory.
///
/// For one thread, the one that leads.
final class DecodedFrames {

    private final Workers<Repacker> workers;
    private final SegmentAllocator memory;
    private final long roomSize;
    private final Deque<MemorySegment> free = new ArrayDeque<>();
    private final Map<Key, Decoded> known = new HashMap<>();
    private final Deque<Decoded> waiting = new ArrayDeque<>();
    private final LinkedHashSet<Decoded> idle = new LinkedHashSet<>();
    private int roomsLeft;
    private long announced;

    private record Key(int layer, long position) {}

    private static final class Decoded {
        final int layer;
        final Node.Frame frame;
        /// numbers of the pieces that will be taken
        final Deque<Long> wanted = new ArrayDeque<>();
        @Nullable MemorySegment room;
        @Nullable Future<MemorySegment> content;

        Decoded(int layer, Node.Frame frame) {
            this.layer = layer;
            this.frame = frame;
        }
    }

    /// @param roomSize the largest content
    DecodedFrames(Workers<Repacker> workers, SegmentAllocator memory, long roomSize, int rooms) {
        this.workers = workers;
        this.memory = memory;
        this.roomSize = roomSize;
        this.roomsLeft = rooms;
    }

    /// Announces a piece.
    void want(Fold.Piece piece) {
        Decoded decoded = known.computeIfAbsent(new Key(piece.layer(), piece.frame().position()), key -> {
            Decoded added = new Decoded(piece.layer(), piece.frame());
            waiting.add(added);
            return added;
        });
        decoded.wanted.add(announced++);
        idle.remove(decoded);
        begin();
    }

    /// {@return the bytes of a piece, until the next call}
    MemorySegment take(Fold.Piece piece) throws IOException {
        begin(); // not at the end, since a room may be taken for that whose content was just given out
        Decoded decoded = known.get(new Key(piece.layer(), piece.frame().position()));
        if (decoded.content == null) {
            waiting.remove(decoded);
            begin(decoded, roomOfAnother());
        }
        MemorySegment content = Workers.result(decoded.content);
        decoded.wanted.remove();
        if (decoded.wanted.isEmpty()) {
            idle.add(decoded);
        }
        return content.asSlice(piece.from(), piece.size());
    }

    private void begin() {
        while (!waiting.isEmpty()) {
            MemorySegment room = room();
            if (room == null) {
                return;
            }
            begin(waiting.remove(), room);
        }
    }

    private void begin(Decoded decoded, MemorySegment room) {
        decoded.room = room;
        decoded.content = workers.submit(repacker -> repacker.decode(decoded.layer, decoded.frame, room));
    }

    private @Nullable MemorySegment room() {
        if (!free.isEmpty()) {
            return free.remove();
        }
        if (roomsLeft > 0) {
            roomsLeft--;
            return memory.allocate(roomSize, 4096);
        }
        if (idle.isEmpty()) {
            return null;
        }
        Decoded oldest = idle.removeFirst();
        known.remove(new Key(oldest.layer, oldest.frame.position()));
        return oldest.room;
    }

    /// a room, if need be that of a frame whose next piece is taken last; it is decoded again for that
    private MemorySegment roomOfAnother() throws IOException {
        MemorySegment room = room();
        if (room != null) {
            return room;
        }
        Decoded last = known.values().stream()
                .filter(decoded -> decoded.room != null)
                .max(Comparator.comparing(decoded -> decoded.wanted.peek()))
                .orElseThrow();
        Workers.result(last.content); // whoever writes to the room has to end
        MemorySegment taken = last.room;
        last.room = null;
        last.content = null;
        return taken;
    }
}
