package varve.archive.hash;

import static java.lang.Integer.rotateRight;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// BLAKE3's compression function, one block at a time: for the leaf that is cut short, for the root, and for the few
/// parents that do not come in bulk. Its constants serve the kernels too.
///
/// # Rounds, cut in halves
///
/// The state is sixteen words in four rows of four: `a` and `b` the chaining value, `c` constants, `d` counter, length
/// and flags. A round mixes the four columns and then the four diagonals, where diagonal `i` is `a[i] b[i+1] c[i+2]
/// d[i+3]`, indices modulo 4. All implementations here do *half* rounds instead, fourteen of them, each the same code:
/// mix the columns, then rename the words such that the next columns are what the diagonals were, seen in a mirror:
///
///     a'[i] = a[-i]    b'[i] = b[1-i]    c'[i] = c[2-i]    d'[i] = d[3-i]
///
/// Column `i` of the renamed state is diagonal `-i` of the old one. The renaming is its own inverse, so after the
/// second half everything is back in its place. It costs six exchanges, which a compiler turns into names of
/// registers; and it halves the code, which halves what the compiler has to do before a kernel is fast.
///
/// [#SCHEDULE] has the message words in the order in which the half-rounds want them.
final class Compression {
    static final int LEAF = 1024;
    static final int BLOCK = 64;
    static final int BLOCKS = LEAF / BLOCK;
    static final int HALF_ROUNDS = 14;

    // the flags of the specification, section 2.1; its chunk is our leaf
    static final int CHUNK_START = 1;
    static final int CHUNK_END = 2;
    static final int PARENT = 4;
    static final int ROOT = 8;

    static final ValueLayout.OfInt WORD = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);

    private static final int[] IV = {
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19
    };

    /// Eight indices of message words for each half-round: those that columns 0 to 3 add first, then those that they
    /// add second.
    private static final int[] SCHEDULE = schedule();

    private Compression() {}

    /// {@return word `i` of the initial chaining value, which also begins row `c`}
    static int iv(int i) {
        return IV[i];
    }

    /// {@return the index of the message word that is number `i` of a half-round}
    static int scheduled(int halfRound, int i) {
        return SCHEDULE[halfRound * 8 + i];
    }

    private static int[] schedule() {
        int[] permutation = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
        int[] words = new int[16];
        for (int i = 0; i < 16; i++) {
            words[i] = i;
        }
        int[] schedule = new int[HALF_ROUNDS * 8];
        for (int round = 0; round < HALF_ROUNDS / 2; round++) {
            for (int column = 0; column < 4; column++) {
                int mirrored = -column & 3;
                for (int k = 0; k < 2; k++) {
                    schedule[round * 16 + k * 4 + column] = words[2 * column + k];
                    schedule[round * 16 + 8 + k * 4 + column] = words[8 + 2 * mirrored + k];
                }
            }
            int[] next = new int[16];
            for (int i = 0; i < 16; i++) {
                next[i] = words[permutation[i]];
            }
            words = next;
        }
        return schedule;
    }

    /// Hashes one leaf.
    ///
    /// @param size 0 to 1024 bytes; 0 only if there is nothing else in the device
    /// @param index the number of the leaf in the device
    /// @param root 0, or [#ROOT] if the leaf is all there is
    static Hash leaf(MemorySegment data, long position, int size, long index, int root) {
        int[] value = IV.clone();
        int[] message = new int[16];
        int done = 0;
        do {
            int length = Math.min(BLOCK, size - done);
            boolean last = done + length == size;
            int flags = (done == 0 ? CHUNK_START : 0) | (last ? CHUNK_END | root : 0);
            words(data, position + done, length, message);
            compress(value, message, index, length, flags);
            done += length;
        } while (done < size);
        return hash(value);
    }

    /// @param root 0, or [#ROOT] if this is the last parent
    static Hash parent(Hash left, Hash right, int root) {
        int[] value = IV.clone();
        int[] message = new int[16];
        words(left, message, 0);
        words(right, message, 8);
        compress(value, message, 0, BLOCK, PARENT | root);
        return hash(value);
    }

    private static void words(MemorySegment data, long position, int length, int[] message) {
        int whole = length / Integer.BYTES;
        MemorySegment.copy(data, WORD, position, message, 0, whole);
        for (int i = whole; i < 16; i++) {
            message[i] = 0;
        }
        for (int i = whole * Integer.BYTES; i < length; i++) {
            message[whole] |= (data.get(JAVA_BYTE, position + i) & 0xff) << 8 * i; // shifts are modulo 32
        }
    }

    /// Takes a hash apart into eight words.
    static void words(Hash hash, int[] to, int at) {
        long[] words = {hash.w0(), hash.w1(), hash.w2(), hash.w3()};
        for (int i = 0; i < 4; i++) {
            to[at + 2 * i] = (int) words[i];
            to[at + 2 * i + 1] = (int) (words[i] >>> 32);
        }
    }

    /// {@return the hash of eight words}
    static Hash hash(int[] words) {
        return new Hash(pair(words, 0), pair(words, 2), pair(words, 4), pair(words, 6));
    }

    private static long pair(int[] words, int i) {
        return words[i] & 0xffff_ffffL | (long) words[i + 1] << 32;
    }

    /// Replaces a chaining value by the next one.
    private static void compress(int[] value, int[] message, long counter, int length, int flags) {
        int[] v = new int[16];
        System.arraycopy(value, 0, v, 0, 8);
        System.arraycopy(IV, 0, v, 8, 4);
        v[12] = (int) counter;
        v[13] = (int) (counter >>> 32);
        v[14] = length;
        v[15] = flags;
        for (int s = 0; s < SCHEDULE.length; s += 8) {
            for (int i = 0; i < 4; i++) {
                mix(v, i, message[SCHEDULE[s + i]], message[SCHEDULE[s + 4 + i]]);
            }
            rename(v);
        }
        for (int i = 0; i < 8; i++) {
            value[i] = v[i] ^ v[i + 8];
        }
    }

    private static void mix(int[] v, int column, int x, int y) {
        int a = v[column];
        int b = v[column + 4];
        int c = v[column + 8];
        int d = v[column + 12];
        a += b + x;
        d = rotateRight(d ^ a, 16);
        c += d;
        b = rotateRight(b ^ c, 12);
        a += b + y;
        d = rotateRight(d ^ a, 8);
        c += d;
        b = rotateRight(b ^ c, 7);
        v[column] = a;
        v[column + 4] = b;
        v[column + 8] = c;
        v[column + 12] = d;
    }

    /// Exchanges words of the state between two half-rounds.
    static void rename(int[] v) {
        exchange(v, 1, 3);
        exchange(v, 4, 5);
        exchange(v, 6, 7);
        exchange(v, 8, 10);
        exchange(v, 12, 15);
        exchange(v, 13, 14);
    }

    private static void exchange(int[] v, int i, int j) {
        int t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}
