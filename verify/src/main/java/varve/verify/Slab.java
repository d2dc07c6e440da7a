package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import varve.archive.format.FileTree;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.verify.work.Rooms;

/// A piece of a data file, some groups long, that is read once: for the hashes of its groups, and for all frames in it.
///
/// Whoever still needs its bytes holds it; the last one to let go gives the memory back.
final class Slab {

    static final int GROUP = 1 << FileTree.GROUP_LOG;
    static final long SIZE = 2L * GROUP;

    private final Strand strand;
    private final long position;
    private final long size;
    private final Rooms rooms;
    private final AtomicInteger holders = new AtomicInteger(1);
    private final CountDownLatch loaded = new CountDownLatch(1);
    private @Nullable MemorySegment room;
    private boolean readable;

    /// A group of the file.
    ///
    /// @param hash null if the medium did not give it out
    /// @param failure what the medium said instead
    record Group(long position, long size, @Nullable Hash hash, @Nullable IOException failure) {}

    /// Held by its maker.
    Slab(Strand strand, long position, long size, Rooms rooms) {
        this.strand = strand;
        this.position = position;
        this.size = size;
        this.rooms = rooms;
    }

    Strand strand() {
        return strand;
    }

    long end() {
        return position + size;
    }

    void hold() {
        holders.incrementAndGet();
    }

    void letGo() {
        if (holders.decrementAndGet() == 0 && room != null) {
            rooms.giveBack(room);
        }
    }

    /// Reads it and hashes its groups. To be called once.
    List<Group> load(SubtreeHasher hasher) throws InterruptedIOException {
        try {
            room = rooms.take(size);
            MemorySegment bytes = room.asSlice(0, size);
            IOException failure = read(position, bytes);
            readable = failure == null;
            List<Group> groups = new ArrayList<>();
            for (long at = 0; at < size; at += GROUP) {
                groups.add(group(hasher, position + at, bytes.asSlice(at, Math.min(GROUP, size - at)), failure));
            }
            return groups;
        } finally {
            loaded.countDown();
        }
    }

    private Group group(SubtreeHasher hasher, long at, MemorySegment bytes, @Nullable IOException slabFailure) throws InterruptedIOException {
        if (slabFailure != null) {
            IOException failure = read(at, bytes); // to find out which of the groups it is
            if (failure != null) {
                return new Group(at, bytes.byteSize(), null, failure);
            }
        }
        return new Group(at, bytes.byteSize(), strand.single() ? hasher.whole(bytes) : hasher.subtree(bytes, at), null);
    }

    private @Nullable IOException read(long at, MemorySegment into) throws InterruptedIOException {
        try {
            strand.file().read(at, into);
            return null;
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            return e;
        }
    }

    /// {@return a part of its bytes, from `from` on, at most up to `to`; null if the medium did not give them out} Waits until
    /// it is loaded. Positions are in the file.
    @Nullable MemorySegment bytes(long from, long to) throws InterruptedIOException {
        try {
            loaded.await();
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        }
        return readable ? room.asSlice(from - position, Math.min(to, end()) - from) : null;
    }

    long position() {
        return position;
    }
}
