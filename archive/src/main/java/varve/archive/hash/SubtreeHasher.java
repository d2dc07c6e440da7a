package varve.archive.hash;

import static varve.archive.hash.Compression.LEAF;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Hashes subtrees, with the kernel that is best at the time of each call.
///
/// Cheap to make; one per thread, since it holds scratch memory; nothing to close.
public final class SubtreeHasher {
    /// Bytes of the smaller subtrees of which [#subtree(MemorySegment, long, MemorySegment)] gives the values.
    public static final int GROUP = 16 * LEAF;

    private static final int BATCH = Kernel.WIDTH * LEAF;
    private static final int FEW = 4 * LEAF;
    private static final long LARGEST = 1L << 62;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[LEAF]).asReadOnly();

    private final boolean fixed;
    private @Nullable Kernel kernel;

    public SubtreeHasher() {
        fixed = false;
    }

    /// One that stays with its kernel.
    SubtreeHasher(Kernel kernel) {
        this.kernel = kernel;
        fixed = true;
    }

    private Kernel kernel() {
        Kernel current = kernel;
        if (current == null || !fixed && Hashing.outdated(current)) {
            current = Hashing.make();
            kernel = current;
        }
        return current;
    }

    /// {@return the chaining value of the BLAKE3 subtree over data, as part of a larger device}
    ///
    /// @param data at least one byte
    /// @param offset of the data in the device, in bytes: a multiple of 1 KiB and of the data's size, rounded up to a
    ///     power of two
    /// @throws IllegalArgumentException if there is no such subtree
    public Hash subtree(MemorySegment data, long offset) {
        long size = data.byteSize();
        check(offset, size);
        if (size <= BATCH) {
            return batch(data, offset);
        }
        TreeMerge merge = new TreeMerge();
        for (long at = 0; at < size; at += BATCH) {
            MemorySegment part = data.asSlice(at, Math.min(BATCH, size - at));
            merge.add(batch(part, offset + at), part.byteSize());
        }
        return merge.value();
    }

    /// As [#subtree(MemorySegment, long)], with the values of smaller subtrees on the way, which cost nothing more.
    ///
    /// @param groups takes the value of each aligned [#GROUP] of the data, the last one perhaps shorter: [Hash#SIZE] bytes each
    public Hash subtree(MemorySegment data, long offset, MemorySegment groups) {
        long size = data.byteSize();
        check(offset, size);
        TreeMerge merge = new TreeMerge();
        for (long at = 0; at < size; at += BATCH) {
            MemorySegment part = data.asSlice(at, Math.min(BATCH, size - at));
            merge.add(batch(part, offset + at, groups.asSlice(at / GROUP * Hash.SIZE)), part.byteSize());
        }
        return merge.value();
    }

    /// {@return the root of a device that holds just this data: its plain BLAKE3}
    ///
    /// @param data of any size from 0 bytes up
    public Hash whole(MemorySegment data) {
        long size = data.byteSize();
        if (size <= LEAF) {
            return Compression.leaf(data, 0, (int) size, 0, Compression.ROOT);
        }
        long left = Long.highestOneBit(size - 1);
        return Compression.parent(
                subtree(data.asSlice(0, left), 0), subtree(data.asSlice(left), left), Compression.ROOT);
    }

    /// {@return the chaining value of the subtree over zeros, as [#subtree] would give it}
    ///
    /// @param offset in bytes, as for [#subtree]
    /// @param size in bytes, at least 1
    /// @throws IllegalArgumentException if there is no such subtree
    public Hash zeros(long offset, long size) {
        check(offset, size);
        if (size <= BATCH) {
            return batchOfZeros(offset, (int) size);
        }
        TreeMerge merge = new TreeMerge();
        for (long at = 0; at < size; at += BATCH) {
            int part = (int) Math.min(BATCH, size - at);
            merge.add(batchOfZeros(offset + at, part), part);
        }
        return merge.value();
    }

    /// @throws IllegalArgumentException if bytes of this size at this offset are no subtree
    static void check(long offset, long size) {
        if (size < 1 || size > LARGEST) {
            throw new IllegalArgumentException("a subtree of " + size + " bytes");
        }
        long span = Math.max(LEAF, 2 * Long.highestOneBit(size - 1));
        if (offset < 0 || offset % span != 0) {
            throw new IllegalArgumentException("no subtree of " + size + " bytes at offset " + offset
                    + ": expected a multiple of " + span);
        }
    }

    private Hash batch(MemorySegment data, long offset) {
        int size = (int) data.byteSize();
        if (size <= FEW) {
            return few(data, offset);
        }
        Kernel kernel = kernel();
        return kernel.reduce(leaves(data, offset, kernel));
    }

    /// hashes leaves into the rows of a kernel
    private static int leaves(MemorySegment data, long offset, Kernel kernel) {
        int size = (int) data.byteSize();
        int leaves = size / LEAF;
        long index = offset / LEAF;
        kernel.leaves(data, leaves, index);
        if (size % LEAF != 0) {
            kernel.put(leaves, Compression.leaf(data, (long) leaves * LEAF, size % LEAF, index + leaves, 0));
            leaves++;
        }
        return leaves;
    }

    private Hash batch(MemorySegment data, long offset, MemorySegment groups) {
        Kernel kernel = kernel();
        int values = kernel.reduce(leaves(data, offset, kernel), GROUP / LEAF);
        for (int i = 0; i < values; i++) {
            kernel.value(i).write(groups, (long) i * Hash.SIZE);
        }
        return kernel.reduce(values);
    }

    /// a manifest, say: a kernel would work mostly on lanes without a leaf
    private static Hash few(MemorySegment data, long offset) {
        TreeMerge merge = new TreeMerge();
        for (long at = 0; at < data.byteSize(); at += LEAF) {
            int size = (int) Math.min(LEAF, data.byteSize() - at);
            merge.add(Compression.leaf(data, at, size, (offset + at) / LEAF, 0), size);
        }
        return merge.value();
    }

    private Hash batchOfZeros(long offset, int size) {
        Kernel kernel = kernel();
        int leaves = size / LEAF;
        long index = offset / LEAF;
        kernel.zeros(leaves, index);
        if (size % LEAF != 0) {
            kernel.put(leaves, Compression.leaf(ZEROS, 0, size % LEAF, index + leaves, 0));
            leaves++;
        }
        return kernel.reduce(leaves);
    }
}
