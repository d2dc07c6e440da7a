package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import varve.archive.codec.FrameDecoder;
import varve.archive.format.Node;
import varve.verify.work.Rooms;

/// A frame of a delta, which holds the payload of many chunks: decoded by the first who needs it, for all of them.
///
/// Whoever still needs it holds it. Thread-safe.
final class SharedFrame {

    private final Node.Frame frame;
    private final List<Slab> slabs; // held until the content is there, or nobody needs it
    private final Rooms rooms;
    private final AtomicInteger holders = new AtomicInteger(1);
    private @Nullable MemorySegment room;
    private boolean tried;
    private boolean good;

    /// Held by its maker.
    ///
    /// @param slabs that the frame lies in, in order
    SharedFrame(Node.Frame frame, List<Slab> slabs, Rooms rooms) {
        this.frame = frame;
        this.slabs = List.copyOf(slabs);
        this.rooms = rooms;
        slabs.forEach(Slab::hold);
    }

    Node.Frame frame() {
        return frame;
    }

    void hold() {
        holders.incrementAndGet();
    }

    void letGo() {
        if (holders.decrementAndGet() == 0) {
            synchronized (this) {
                if (!tried) {
                    slabs.forEach(Slab::letGo);
                }
                if (room != null) {
                    rooms.giveBack(room);
                }
            }
        }
    }

    /// {@return the content, or null if it cannot be had}
    synchronized @Nullable MemorySegment content(FrameDecoder decoder) throws IOException {
        if (!tried) {
            MemorySegment into = rooms.take(frame.contentSize());
            try {
                MemorySegment bytes = bytes(frame, slabs, rooms);
                good = bytes != null && decoder.decode(bytes.asSlice(0, frame.size()), into.asSlice(0, frame.contentSize()));
                if (bytes != null && slabs.size() > 1) {
                    rooms.giveBack(bytes);
                }
            } finally {
                room = into;
                tried = true;
                slabs.forEach(Slab::letGo);
            }
        }
        return good ? room.asSlice(0, frame.contentSize()) : null;
    }

    /// {@return the bytes of a frame: of its only slab, or a room of the caller's into which those of several were copied; null
    /// if the medium does not give them out, or they go on behind the last slab}
    static @Nullable MemorySegment bytes(Node.Frame frame, List<Slab> slabs, Rooms rooms) throws InterruptedIOException {
        if (slabs.isEmpty() || slabs.getFirst().position() > frame.position() || slabs.getLast().end() < frame.end()) {
            return null;
        }
        if (slabs.size() == 1) {
            return slabs.getFirst().bytes(frame.position(), frame.end());
        }
        MemorySegment copy = rooms.take(frame.size());
        for (Slab slab : slabs) {
            long from = Math.max(frame.position(), slab.position());
            MemorySegment part = slab.bytes(from, frame.end());
            if (part == null) {
                rooms.giveBack(copy);
                return null;
            }
            MemorySegment.copy(part, 0, copy, from - frame.position(), part.byteSize());
        }
        return copy;
    }
}
