package varve.archive.hash;

import static varve.archive.hash.Compression.BLOCK;
import static varve.archive.hash.Compression.BLOCKS;
import static varve.archive.hash.Compression.CHUNK_END;
import static varve.archive.hash.Compression.CHUNK_START;
import static varve.archive.hash.Compression.LEAF;
import static varve.archive.hash.Compression.PARENT;
import static varve.archive.hash.Compression.WORD;

import java.lang.foreign.MemorySegment;

/// Hashes many leaves, or many parents, side by side: one in each lane.
///
/// It works on *rows* of chaining values: word `w` of value `i` is at index `w * STRIDE + i`, so that one word of
/// neighbours lies together. Leaves fill the rows from the left; parents replace pairs of values by one, in place,
/// until one is left.
///
/// Here is what the kernels have in common. Theirs is to bring one block of each lane together in a message, word by
/// word, and to compress it. Each holds the message and other scratch memory: one thread at a time.
abstract sealed class Kernel permits PlainKernel, VectorKernel {
    /// Most values that rows hold, a multiple of the lanes of every kernel.
    static final int WIDTH = 256;

    /// A little more than the width: rows that lie 4 KiB apart would be mistaken for each other by the processor's
    /// store buffers.
    static final int STRIDE = WIDTH + 16;

    /// Rows of initial chaining values, never written to.
    private static final int[] INITIAL = initial();

    static final int LEAF_WORDS = LEAF / Integer.BYTES;
    private static final int BLOCK_WORDS = BLOCK / Integer.BYTES;

    final int[] rows = new int[8 * STRIDE];
    private final int[] leaves = new int[lanes() * LEAF_WORDS];
    private final int[] odd = new int[8];

    private static int[] initial() {
        int[] rows = new int[8 * STRIDE];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Compression.iv(i / STRIDE);
        }
        return rows;
    }

    /// {@return how many leaves or parents it takes at most at a time, a power of two}
    abstract int lanes();

    /// Makes the message of one block of each leaf.
    ///
    /// @param leaves the words of the leaves, one after the other
    /// @param at index of the block's first word in the first leaf
    abstract void gather(int[] leaves, int at, int lanes);

    /// Makes the message of pairs of values.
    ///
    /// @param from index of the first value of the first pair
    abstract void pair(int[] rows, int from, int lanes);

    /// Compresses the message: takes the chaining values at `from` and writes the next ones at `at`. It may write
    /// beyond `lanes`, up to its own [#lanes].
    ///
    /// @param counter of the first lane
    /// @param step what each lane adds to the counter of the one before, 0 or 1
    abstract void compress(int[] source, int from, int[] rows, int at, long counter, int step, int flags, int lanes);

    /// As [#compress], of a message of zeros.
    abstract void compressZeros(int[] source, int from, int[] rows, int at, long counter, int flags, int lanes);

    /// Hashes whole leaves into the rows.
    ///
    /// @param index the number of the first leaf in the device. The leaves belong to one subtree, so their numbers
    ///     differ in the low 32 bits only.
    final void leaves(MemorySegment data, int count, long index) {
        for (int at = 0; at < count; at += lanes()) {
            int lanes = Math.min(lanes(), count - at);
            MemorySegment.copy(data, WORD, (long) at * LEAF, leaves, 0, lanes * LEAF_WORDS);
            for (int block = 0; block < BLOCKS; block++) {
                gather(leaves, block * BLOCK_WORDS, lanes);
                int flags = flags(block);
                if (block == 0) {
                    compress(INITIAL, 0, rows, at, index + at, 1, flags, lanes);
                } else {
                    compress(rows, at, rows, at, index + at, 1, flags, lanes);
                }
            }
        }
    }

    /// As [#leaves], of zeros.
    final void zeros(int count, long index) {
        for (int at = 0; at < count; at += lanes()) {
            int lanes = Math.min(lanes(), count - at);
            for (int block = 0; block < BLOCKS; block++) {
                int flags = flags(block);
                if (block == 0) {
                    compressZeros(INITIAL, 0, rows, at, index + at, flags, lanes);
                } else {
                    compressZeros(rows, at, rows, at, index + at, flags, lanes);
                }
            }
        }
    }

    private static int flags(int block) {
        return (block == 0 ? CHUNK_START : 0) | (block == BLOCKS - 1 ? CHUNK_END : 0);
    }

    /// Puts a value into the rows at index `i`.
    final void put(int i, Hash value) {
        Compression.words(value, odd, 0);
        move(odd, 0, 1, rows, i, STRIDE);
    }

    /// Replaces values by those of their parents, level by level. An odd one at the end rises as it is, which gives
    /// BLAKE3's tree: every left subtree is complete.
    ///
    /// @return the value of the subtree, without the ROOT flag
    final Hash reduce(int count) {
        for (int values = count; values > 1; values = (values + 1) / 2) {
            int parents = values / 2;
            move(rows, values - 1, STRIDE, odd, 0, 1);
            for (int at = 0; at < parents; at += lanes()) {
                int lanes = Math.min(lanes(), parents - at);
                pair(rows, 2 * at, lanes);
                compress(INITIAL, 0, rows, at, 0, 0, PARENT, lanes);
            }
            if ((values & 1) != 0) {
                move(odd, 0, 1, rows, parents, STRIDE);
            }
        }
        return Compression.hash(rows, 0, STRIDE);
    }

    private static void move(int[] source, int from, int step, int[] target, int to, int stride) {
        for (int w = 0; w < 8; w++) {
            target[to + w * stride] = source[from + w * step];
        }
    }
}
