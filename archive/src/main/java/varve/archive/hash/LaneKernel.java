package varve.archive.hash;

import static varve.archive.hash.Compression.BLOCK;
import static varve.archive.hash.Compression.BLOCKS;
import static varve.archive.hash.Compression.CHUNK_END;
import static varve.archive.hash.Compression.CHUNK_START;
import static varve.archive.hash.Compression.LEAF;
import static varve.archive.hash.Compression.PARENT;
import static varve.archive.hash.Compression.WORD;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A kernel in Java: hashes many leaves, or many parents, side by side, one in each lane.
///
/// It works on eight *rows* of chaining values: row `w` has word `w` of each value, so that one word of neighbours lies
/// together. Leaves fill the rows from the left; parents replace pairs of values by one, in place, until one is left.
/// To the right, from column [#INITIAL] on, are BLAKE3's initial values.
///
/// Here is what these kernels have in common. Theirs is to bring one block of each lane together in a message, word by
/// word, and to compress it.
abstract sealed class LaneKernel extends Kernel permits PlainKernel, VectorKernel {
    /// Column where as many initial values begin as the kernel has lanes, at most 128.
    static final int INITIAL = WIDTH;

    /// From one row to the next.
    static final int STRIDE = INITIAL + 128;

    /// Words in a leaf.
    static final int LEAF_WORDS = LEAF / Integer.BYTES;

    private static final int BLOCK_WORDS = BLOCK / Integer.BYTES;

    final int[] rows = new int[8 * STRIDE];
    private final int[] value = new int[8];
    private int[] leaves = new int[0];

    LaneKernel() {
        for (int w = 0; w < 8; w++) {
            Arrays.fill(rows, w * STRIDE + INITIAL, (w + 1) * STRIDE, Compression.iv(w));
        }
    }

    /// {@return how many leaves or parents it takes at most at a time, a power of two}
    abstract int lanes();

    /// Makes the message of one block of each leaf.
    ///
    /// @param leaves the words of the leaves, one after the other, with room for all lanes
    /// @param at index of the block's first word in the first leaf
    abstract void gather(int[] leaves, int at, int lanes);

    /// Makes the message of pairs of values.
    ///
    /// @param from column of the first value of the first pair
    abstract void pair(int from, int lanes);

    /// Compresses the message: takes the chaining values at column `from` and writes the next ones at column `to`. It
    /// may write beyond `lanes`, up to its own [#lanes].
    ///
    /// @param counter of the first lane
    /// @param step what each lane adds to the counter of the one before, 0 or 1
    abstract void compress(int from, int to, long counter, int step, int flags, int lanes);

    /// As [#compress], of a message of zeros and with a step of 1.
    abstract void compressZeros(int from, int to, long counter, int flags, int lanes);

    @Override
    final void leaves(MemorySegment data, int count, long index) {
        if (leaves.length == 0) {
            leaves = new int[lanes() * LEAF_WORDS];
        }
        for (int at = 0; at < count; at += lanes()) {
            int lanes = Math.min(lanes(), count - at);
            MemorySegment.copy(data, WORD, (long) at * LEAF, leaves, 0, lanes * LEAF_WORDS);
            for (int block = 0; block < BLOCKS; block++) {
                gather(leaves, block * BLOCK_WORDS, lanes);
                compress(block == 0 ? INITIAL : at, at, index + at, 1, flags(block), lanes);
            }
        }
    }

    @Override
    final void zeros(int count, long index) {
        for (int at = 0; at < count; at += lanes()) {
            int lanes = Math.min(lanes(), count - at);
            for (int block = 0; block < BLOCKS; block++) {
                compressZeros(block == 0 ? INITIAL : at, at, index + at, flags(block), lanes);
            }
        }
    }

    private static int flags(int block) {
        return (block == 0 ? CHUNK_START : 0) | (block == BLOCKS - 1 ? CHUNK_END : 0);
    }

    @Override
    final void put(int column, Hash hash) {
        Compression.words(hash, value, 0);
        write(column);
    }

    @Override
    final int reduce(int count, int span) {
        int values = count;
        for (int each = 1; each < span && values > 1; each *= 2) {
            int parents = values / 2;
            read(values - 1);
            for (int at = 0; at < parents; at += lanes()) {
                int lanes = Math.min(lanes(), parents - at);
                pair(2 * at, lanes);
                compress(INITIAL, at, 0, 0, PARENT, lanes);
            }
            if ((values & 1) != 0) {
                write(parents);
            }
            values = (values + 1) / 2;
        }
        return values;
    }

    @Override
    final Hash value(int column) {
        read(column);
        return Compression.hash(value);
    }

    private void read(int column) {
        for (int w = 0; w < 8; w++) {
            value[w] = rows[w * STRIDE + column];
        }
    }

    private void write(int column) {
        for (int w = 0; w < 8; w++) {
            rows[w * STRIDE + column] = value[w];
        }
    }
}
