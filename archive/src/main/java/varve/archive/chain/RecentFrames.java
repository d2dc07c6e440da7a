package varve.archive.chain;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import varve.archive.format.Node;
import varve.archive.linux.LargePages;

/// The frames that one reader decoded last, in memory of its own.
///
/// Not thread-safe, and one frame is held at a time.
final class RecentFrames implements Frames {

    private static final long CACHE = 24 << 20;
    private static final int MOST_FRAMES = 24;

    private final Arena arena = Arena.ofShared();
    private final SegmentAllocator memory = new LargePages(arena);
    private final Map<Key, MemorySegment> frames;
    private final Deque<MemorySegment> rooms = new ArrayDeque<>(); // not in use
    private final int mostFrames;
    private final long frameRoom;

    private record Key(int layer, long position) {}

    private record InPlace(MemorySegment content) implements Held {
        @Override
        public void close() {}
    }

    /// @param largestContent of the frames to come
    RecentFrames(int largestContent) {
        this.frameRoom = largestContent;
        this.mostFrames = (int) Math.clamp(CACHE / Math.max(1, largestContent), 2, MOST_FRAMES);
        this.frames = new LinkedHashMap<>(mostFrames, 0.75f, true);
    }

    @Override
    public Held hold(int layer, Node.Frame frame, Decoding decoding) throws IOException {
        Key key = new Key(layer, frame.position());
        MemorySegment room = frames.get(key);
        if (room == null) {
            room = room();
            try {
                decoding.into(room.asSlice(0, frame.contentSize()));
            } catch (Throwable e) {
                rooms.add(room);
                throw e;
            }
            frames.put(key, room);
        }
        return new InPlace(room.asSlice(0, frame.contentSize()));
    }

    private MemorySegment room() {
        if (!rooms.isEmpty()) {
            return rooms.remove();
        }
        return frames.size() < mostFrames ? memory.allocate(frameRoom, 4096) : frames.remove(frames.keySet().iterator().next());
    }

    @Override
    public void forget(int layer) {
        frames.entrySet().removeIf(entry -> {
            boolean forgotten = entry.getKey().layer == layer;
            if (forgotten) {
                rooms.add(entry.getValue());
            }
            return forgotten;
        });
    }

    @Override
    public void close() {
        arena.close();
    }
}
