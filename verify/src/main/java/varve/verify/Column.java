package varve.verify;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.hash.TreeMerge;

/// The content of one chunk on its way up through the layers of a chain, and its hash at each of them.
///
/// A delta changes little of a chunk. So the hashes of its parts are kept, and only those of parts that were changed are
/// computed again: proving a chunk at thirty points in time costs little more than proving it at one.
///
/// For one thread.
final class Column implements AutoCloseable {

    private static final int LARGE_PART = 64 << 10;
    private static final int SMALL_PART = 16 << 10;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment bytes;
    private final int chunkSize;
    private final int partSize;
    private final SubtreeHasher hasher;
    private final @Nullable Hash[] parts; // null if the part was changed
    private long length;
    private boolean zero; // and `bytes` has anything in it
    private int layer; // -1 if nothing is known of the content

    Column(int chunkSize, SubtreeHasher hasher) {
        this.chunkSize = chunkSize;
        this.partSize = chunkSize > LARGE_PART ? LARGE_PART : SMALL_PART;
        this.bytes = arena.allocate(chunkSize, 4096);
        this.parts = new Hash[chunkSize / partSize];
        this.hasher = hasher;
    }

    /// Forgets what it held.
    void forget() {
        layer = -1;
    }

    /// {@return whether it holds the chunk as a layer left it}
    boolean holds(int ofLayer) {
        return layer == ofLayer;
    }

    /// Becomes zeros.
    void zeros(int ofLayer) {
        zero = true;
        layer = ofLayer;
    }

    /// {@return room for the whole content, which the caller fills}
    MemorySegment fill(int ofLayer, long newLength) {
        length = newLength;
        zero = false;
        layer = ofLayer;
        touch(0, chunkSize);
        return bytes.asSlice(0, newLength);
    }

    /// Goes on to a newer layer, and to the length that it has there. What is new is zero until it is put.
    void stretch(int toLayer, long newLength) {
        layer = toLayer;
        if (zero) {
            fill(toLayer, newLength).fill((byte) 0);
        } else if (newLength != length) {
            long shorter = Math.min(length, newLength);
            bytes.asSlice(shorter, newLength - shorter).fill((byte) 0);
            touch(shorter == 0 ? 0 : shorter - 1, chunkSize);
            length = newLength;
        }
    }

    void put(long at, MemorySegment content, long from, long size) {
        MemorySegment.copy(content, from, bytes, at, size);
        touch(at, at + size);
    }

    void clear(long at, long size) {
        bytes.asSlice(at, size).fill((byte) 0);
        touch(at, at + size);
    }

    private void touch(long from, long to) {
        for (int part = (int) (from / partSize); (long) part * partSize < to; part++) {
            parts[part] = null;
        }
    }

    /// {@return the hash that the content has in a device}
    Hash hash(Geometry then, long chunk) {
        MemorySegment content = bytes.asSlice(0, length);
        if (zero) {
            throw new IllegalStateException("zeros are not hashed here");
        }
        if (then.single()) {
            return hasher.whole(content);
        }
        long offset = then.offset(chunk);
        if (length <= partSize) {
            return hasher.subtree(content, offset);
        }
        TreeMerge merge = new TreeMerge();
        for (long at = 0; at < length; at += partSize) {
            long size = Math.min(partSize, length - at);
            int part = (int) (at / partSize);
            Hash hash = parts[part];
            if (hash == null) {
                hash = hasher.subtree(content.asSlice(at, size), offset + at);
                parts[part] = hash;
            }
            merge.add(hash, size);
        }
        return merge.value();
    }

    @Override
    public void close() {
        arena.close();
    }
}
