package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import varve.archive.codec.FrameDecoder;
import varve.archive.file.Sealed;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;
import varve.archive.seal.SealedContent;
import varve.verify.work.Rooms;

/// A frame of a delta, which holds the payload of many chunks: decoded by the first who needs it, for all of them.
///
/// Whoever still needs it holds it. Thread-safe.
final class SharedFrame {

    private final Strand strand;
    private final Node.Frame frame;
    private final List<Slab> slabs; // held until the content is there, or nobody needs it
    private final Rooms rooms;
    private final AtomicInteger holders = new AtomicInteger(1);
    private @Nullable MemorySegment room;
    private boolean tried;
    private boolean good;

    /// Held by its maker.
    ///
    /// @param strand that it is of
    /// @param slabs that the frame lies in, in order
    SharedFrame(Strand strand, Node.Frame frame, List<Slab> slabs, Rooms rooms) {
        this.strand = strand;
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
                MemorySegment bytes = bytes(strand, frame, slabs, rooms);
                good = bytes != null && decoder.decode(bytes.asSlice(0, frame.size()), into.asSlice(0, frame.contentSize()));
                if (bytes != null && copies(strand, slabs)) {
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

    /// {@return whether the bytes of a frame are copied, or decrypted, into a room of their own}
    static boolean copies(Strand strand, List<Slab> slabs) {
        return slabs.size() > 1 || strand.sealed() != null;
    }

    /// {@return the bytes of a frame: of its only slab, or a room of the caller's into which they were brought; null
    /// if the medium does not give them out, or they go on behind the last slab}
    ///
    /// @throws CorruptException if they are sealed, and not what was sealed
    static @Nullable MemorySegment bytes(Strand strand, Node.Frame frame, List<Slab> slabs, Rooms rooms) throws IOException {
        long start = strand.start(frame);
        long end = strand.end(frame);
        if (slabs.isEmpty() || slabs.getFirst().position() > start || slabs.getLast().end() < end) {
            return null;
        }
        for (Slab slab : slabs) {
            if (slab.bytes(Math.max(start, slab.position()), end) == null) {
                return null;
            }
        }
        if (!copies(strand, slabs)) {
            return slabs.getFirst().bytes(start, end);
        }
        MemorySegment copy = rooms.take(frame.size());
        try {
            if (strand.sealed() == null) {
                copy(slabs, start, copy.asSlice(0, frame.size()));
            } else {
                Sealed.read(strand.sealed(), strand.check().name(), frame.position(), copy.asSlice(0, frame.size()),
                        new SealedContent.Bytes() {
                            @Override
                            public void read(long position, MemorySegment into) throws IOException {
                                copy(slabs, position, into);
                            }

                            @Override
                            public MemorySegment at(long position, MemorySegment room) throws IOException {
                                for (Slab slab : slabs) {
                                    if (position >= slab.position() && position + room.byteSize() <= slab.end()) {
                                        return slab.bytes(position, position + room.byteSize());
                                    }
                                }
                                read(position, room);
                                return room;
                            }
                        });
            }
            return copy;
        } catch (Throwable e) {
            rooms.giveBack(copy);
            throw e;
        }
    }

    private static void copy(List<Slab> slabs, long position, MemorySegment into) throws InterruptedIOException {
        long end = position + into.byteSize();
        for (Slab slab : slabs) {
            long from = Math.max(position, slab.position());
            if (from < Math.min(end, slab.end())) {
                MemorySegment part = slab.bytes(from, end);
                MemorySegment.copy(part, 0, into, from - position, part.byteSize());
            }
        }
    }
}
