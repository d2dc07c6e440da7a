package varve.archive.hash;

import static jdk.incubator.vector.IntVector.broadcast;
import static jdk.incubator.vector.IntVector.fromArray;
import static jdk.incubator.vector.VectorOperators.ROR;
import static jdk.incubator.vector.VectorOperators.XOR;
import static varve.archive.hash.Compression.HALF_ROUNDS;

import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/// The kernel of the Vector API: 4, 8 or 16 lanes in vectors of 128, 256 or 512 bits. To be loaded only if the module
/// `jdk.incubator.vector` is there, and slow until it is compiled; [Warmup] sees to both.
///
/// # What makes it fast
///
/// The state is sixteen local variables, so it stays in registers, and [#compress] runs as fast as the processor can
/// add, xor and rotate: 784 vector instructions for a block in each lane, two of them per cycle. The rest is to keep
/// everything else out of their way.
///
/// **Bringing the message together.** Each lane needs its own leaf's word, so the block of each leaf is loaded as it
/// lies and the square of words is transposed, by butterflies: rows `i` and `i + d` exchange the quarters in which
/// lane numbers have the bit `d` in one and not in the other, for `d` from half the lanes down to 1. Two steps are done
/// while four rows are in registers, then they go through memory. `selectFrom` on two vectors is one instruction
/// (`vpermi2d`).
///
/// **Arrays only.** Leaves are copied to an array, and vectors are loaded from arrays, which cannot be aligned. From
/// aligned off-heap memory all this would be an eighth faster, but was measured to be four times slower at times: what
/// C2 makes of an access to a memory segment depends on all kinds of segments and arenas that the process has used so
/// far, and on how often. Of an array it makes the same every time.
///
/// **The compiler.** A call in these methods that C2 does not inline makes vectors into objects: fifteen times
/// slower. It does inline the Vector API, whatever the size, but nothing of ours once a method has grown: so there
/// are no helper methods here, however much they would please the eye.
///
/// **To be warm soon**, a method returns at once if there are no lanes to serve: [Warmup] calls it some thousand times
/// so, which to the JVM is as good a reason to compile as if it had worked.
final class VectorKernel extends LaneKernel {
    private static final VectorSpecies<Integer> SPECIES = species();
    static final String NAME = "vector-" + SPECIES.vectorBitSize();

    private static final int LANES = SPECIES.length();
    private static final IntVector LANE = select(i -> i);

    // butterflies of two rows, named by their distance: what goes to the first of them, and to the second
    private static final IntVector FIRST_1 = first(1);
    private static final IntVector SECOND_1 = second(1);
    private static final IntVector FIRST_2 = first(2);
    private static final IntVector SECOND_2 = second(2);
    private static final IntVector FIRST_4 = first(4);
    private static final IntVector SECOND_4 = second(4);
    private static final IntVector FIRST_8 = first(8);
    private static final IntVector SECOND_8 = second(8);

    private static final IntVector EVEN = select(i -> 2 * i);
    private static final IntVector ODD = select(i -> 2 * i + 1);

    /// Where the message words begin in their array, as scheduled.
    private static final int[] WORDS = words();

    private final int[] half = new int[16 * LANES];
    private final int[] message = new int[16 * LANES];

    private static VectorSpecies<Integer> species() {
        return switch (Hashing.CHOICE) {
            case "vector-128" -> IntVector.SPECIES_128;
            case "vector-256" -> IntVector.SPECIES_256;
            case "vector-512" -> IntVector.SPECIES_512;
            default -> switch (IntVector.SPECIES_PREFERRED.length()) {
                case 1, 2, 4 -> IntVector.SPECIES_128;
                case 8 -> IntVector.SPECIES_256;
                default -> IntVector.SPECIES_512;
            };
        };
    }

    private static IntVector select(IntUnaryOperator from) {
        int[] indices = new int[LANES];
        for (int i = 0; i < LANES; i++) {
            indices[i] = from.applyAsInt(i) % (2 * LANES); // butterflies too wide for the vector are never used
        }
        return fromArray(SPECIES, indices, 0);
    }

    private static IntVector first(int distance) {
        return select(i -> (i & distance) == 0 ? i : LANES + i - distance);
    }

    private static IntVector second(int distance) {
        return select(i -> (i & distance) == 0 ? i + distance : LANES + i);
    }

    private static int[] words() {
        int[] words = new int[HALF_ROUNDS * 8];
        for (int i = 0; i < words.length; i++) {
            words[i] = Compression.scheduled(i / 8, i % 8) * LANES;
        }
        return words;
    }

    @Override
    int lanes() {
        return LANES;
    }

    @Override
    void gather(int[] leaves, int at, int lanes) {
        if (lanes == 0) {
            return;
        }
        int[] half = this.half;
        int[] message = this.message;
        if (LANES == 16) {
            for (int i = 0; i < 4; i++) {
                IntVector r0 = fromArray(SPECIES, leaves, at + i * LEAF_WORDS);
                IntVector r1 = fromArray(SPECIES, leaves, at + (i + 4) * LEAF_WORDS);
                IntVector r2 = fromArray(SPECIES, leaves, at + (i + 8) * LEAF_WORDS);
                IntVector r3 = fromArray(SPECIES, leaves, at + (i + 12) * LEAF_WORDS);
                IntVector s0 = FIRST_8.selectFrom(r0, r2);
                IntVector s1 = FIRST_8.selectFrom(r1, r3);
                IntVector s2 = SECOND_8.selectFrom(r0, r2);
                IntVector s3 = SECOND_8.selectFrom(r1, r3);
                FIRST_4.selectFrom(s0, s1).intoArray(half, i * LANES);
                SECOND_4.selectFrom(s0, s1).intoArray(half, (i + 4) * LANES);
                FIRST_4.selectFrom(s2, s3).intoArray(half, (i + 8) * LANES);
                SECOND_4.selectFrom(s2, s3).intoArray(half, (i + 12) * LANES);
            }
        } else if (LANES == 8) { // two squares: words 0 to 7, words 8 to 15
            for (int i = 0; i < 8; i++) {
                int from = at + (i / 4) * 8 + (i % 4) * LEAF_WORDS;
                int to = ((i / 4) * 8 + i % 4) * LANES;
                IntVector r0 = fromArray(SPECIES, leaves, from);
                IntVector r1 = fromArray(SPECIES, leaves, from + 4 * LEAF_WORDS);
                FIRST_4.selectFrom(r0, r1).intoArray(half, to);
                SECOND_4.selectFrom(r0, r1).intoArray(half, to + 4 * LANES);
            }
        } else { // four squares
            for (int i = 0; i < 16; i++) {
                fromArray(SPECIES, leaves, at + (i / 4) * 4 + (i % 4) * LEAF_WORDS).intoArray(half, i * LANES);
            }
        }
        for (int i = 0; i < 16; i += 4) {
            IntVector r0 = fromArray(SPECIES, half, i * LANES);
            IntVector r1 = fromArray(SPECIES, half, (i + 1) * LANES);
            IntVector r2 = fromArray(SPECIES, half, (i + 2) * LANES);
            IntVector r3 = fromArray(SPECIES, half, (i + 3) * LANES);
            IntVector s0 = FIRST_2.selectFrom(r0, r2);
            IntVector s1 = FIRST_2.selectFrom(r1, r3);
            IntVector s2 = SECOND_2.selectFrom(r0, r2);
            IntVector s3 = SECOND_2.selectFrom(r1, r3);
            FIRST_1.selectFrom(s0, s1).intoArray(message, i * LANES);
            SECOND_1.selectFrom(s0, s1).intoArray(message, (i + 1) * LANES);
            FIRST_1.selectFrom(s2, s3).intoArray(message, (i + 2) * LANES);
            SECOND_1.selectFrom(s2, s3).intoArray(message, (i + 3) * LANES);
        }
    }

    @Override
    void pair(int from, int lanes) {
        if (lanes == 0) {
            return;
        }
        int[] rows = this.rows;
        int[] message = this.message;
        for (int w = 0; w < 8; w++) {
            IntVector left = fromArray(SPECIES, rows, w * STRIDE + from);
            IntVector right = fromArray(SPECIES, rows, w * STRIDE + from + LANES);
            EVEN.selectFrom(left, right).intoArray(message, w * LANES);
            ODD.selectFrom(left, right).intoArray(message, (w + 8) * LANES);
        }
    }

    @Override
    void compress(int from, int to, long counter, int step, int flags, int lanes) {
        if (lanes == 0) {
            return;
        }
        int[] rows = this.rows;
        int[] message = this.message;
        IntVector a0 = fromArray(SPECIES, rows, from);
        IntVector a1 = fromArray(SPECIES, rows, STRIDE + from);
        IntVector a2 = fromArray(SPECIES, rows, 2 * STRIDE + from);
        IntVector a3 = fromArray(SPECIES, rows, 3 * STRIDE + from);
        IntVector b0 = fromArray(SPECIES, rows, 4 * STRIDE + from);
        IntVector b1 = fromArray(SPECIES, rows, 5 * STRIDE + from);
        IntVector b2 = fromArray(SPECIES, rows, 6 * STRIDE + from);
        IntVector b3 = fromArray(SPECIES, rows, 7 * STRIDE + from);
        IntVector c0 = broadcast(SPECIES, Compression.iv(0));
        IntVector c1 = broadcast(SPECIES, Compression.iv(1));
        IntVector c2 = broadcast(SPECIES, Compression.iv(2));
        IntVector c3 = broadcast(SPECIES, Compression.iv(3));
        IntVector d0 = broadcast(SPECIES, (int) counter).add(LANE.mul(step));
        IntVector d1 = broadcast(SPECIES, (int) (counter >>> 32));
        IntVector d2 = broadcast(SPECIES, Compression.BLOCK);
        IntVector d3 = broadcast(SPECIES, flags);
        for (int s = 0; s < WORDS.length; s += 8) {
            a0 = a0.add(b0).add(fromArray(SPECIES, message, WORDS[s]));
            a1 = a1.add(b1).add(fromArray(SPECIES, message, WORDS[s + 1]));
            a2 = a2.add(b2).add(fromArray(SPECIES, message, WORDS[s + 2]));
            a3 = a3.add(b3).add(fromArray(SPECIES, message, WORDS[s + 3]));
            d0 = d0.lanewise(XOR, a0).lanewise(ROR, 16);
            d1 = d1.lanewise(XOR, a1).lanewise(ROR, 16);
            d2 = d2.lanewise(XOR, a2).lanewise(ROR, 16);
            d3 = d3.lanewise(XOR, a3).lanewise(ROR, 16);
            c0 = c0.add(d0);
            c1 = c1.add(d1);
            c2 = c2.add(d2);
            c3 = c3.add(d3);
            b0 = b0.lanewise(XOR, c0).lanewise(ROR, 12);
            b1 = b1.lanewise(XOR, c1).lanewise(ROR, 12);
            b2 = b2.lanewise(XOR, c2).lanewise(ROR, 12);
            b3 = b3.lanewise(XOR, c3).lanewise(ROR, 12);
            a0 = a0.add(b0).add(fromArray(SPECIES, message, WORDS[s + 4]));
            a1 = a1.add(b1).add(fromArray(SPECIES, message, WORDS[s + 5]));
            a2 = a2.add(b2).add(fromArray(SPECIES, message, WORDS[s + 6]));
            a3 = a3.add(b3).add(fromArray(SPECIES, message, WORDS[s + 7]));
            d0 = d0.lanewise(XOR, a0).lanewise(ROR, 8);
            d1 = d1.lanewise(XOR, a1).lanewise(ROR, 8);
            d2 = d2.lanewise(XOR, a2).lanewise(ROR, 8);
            d3 = d3.lanewise(XOR, a3).lanewise(ROR, 8);
            c0 = c0.add(d0);
            c1 = c1.add(d1);
            c2 = c2.add(d2);
            c3 = c3.add(d3);
            b0 = b0.lanewise(XOR, c0).lanewise(ROR, 7);
            b1 = b1.lanewise(XOR, c1).lanewise(ROR, 7);
            b2 = b2.lanewise(XOR, c2).lanewise(ROR, 7);
            b3 = b3.lanewise(XOR, c3).lanewise(ROR, 7);
            IntVector t;
            t = a1;
            a1 = a3;
            a3 = t;
            t = b0;
            b0 = b1;
            b1 = t;
            t = b2;
            b2 = b3;
            b3 = t;
            t = c0;
            c0 = c2;
            c2 = t;
            t = d0;
            d0 = d3;
            d3 = t;
            t = d1;
            d1 = d2;
            d2 = t;
        }
        a0.lanewise(XOR, c0).intoArray(rows, to);
        a1.lanewise(XOR, c1).intoArray(rows, STRIDE + to);
        a2.lanewise(XOR, c2).intoArray(rows, 2 * STRIDE + to);
        a3.lanewise(XOR, c3).intoArray(rows, 3 * STRIDE + to);
        b0.lanewise(XOR, d0).intoArray(rows, 4 * STRIDE + to);
        b1.lanewise(XOR, d1).intoArray(rows, 5 * STRIDE + to);
        b2.lanewise(XOR, d2).intoArray(rows, 6 * STRIDE + to);
        b3.lanewise(XOR, d3).intoArray(rows, 7 * STRIDE + to);
    }

    @Override
    void compressZeros(int from, int to, long counter, int flags, int lanes) {
        if (lanes == 0) {
            return;
        }
        int[] rows = this.rows;
        IntVector a0 = fromArray(SPECIES, rows, from);
        IntVector a1 = fromArray(SPECIES, rows, STRIDE + from);
        IntVector a2 = fromArray(SPECIES, rows, 2 * STRIDE + from);
        IntVector a3 = fromArray(SPECIES, rows, 3 * STRIDE + from);
        IntVector b0 = fromArray(SPECIES, rows, 4 * STRIDE + from);
        IntVector b1 = fromArray(SPECIES, rows, 5 * STRIDE + from);
        IntVector b2 = fromArray(SPECIES, rows, 6 * STRIDE + from);
        IntVector b3 = fromArray(SPECIES, rows, 7 * STRIDE + from);
        IntVector c0 = broadcast(SPECIES, Compression.iv(0));
        IntVector c1 = broadcast(SPECIES, Compression.iv(1));
        IntVector c2 = broadcast(SPECIES, Compression.iv(2));
        IntVector c3 = broadcast(SPECIES, Compression.iv(3));
        IntVector d0 = broadcast(SPECIES, (int) counter).add(LANE);
        IntVector d1 = broadcast(SPECIES, (int) (counter >>> 32));
        IntVector d2 = broadcast(SPECIES, Compression.BLOCK);
        IntVector d3 = broadcast(SPECIES, flags);
        for (int h = 0; h < HALF_ROUNDS; h++) {
            a0 = a0.add(b0);
            a1 = a1.add(b1);
            a2 = a2.add(b2);
            a3 = a3.add(b3);
            d0 = d0.lanewise(XOR, a0).lanewise(ROR, 16);
            d1 = d1.lanewise(XOR, a1).lanewise(ROR, 16);
            d2 = d2.lanewise(XOR, a2).lanewise(ROR, 16);
            d3 = d3.lanewise(XOR, a3).lanewise(ROR, 16);
            c0 = c0.add(d0);
            c1 = c1.add(d1);
            c2 = c2.add(d2);
            c3 = c3.add(d3);
            b0 = b0.lanewise(XOR, c0).lanewise(ROR, 12);
            b1 = b1.lanewise(XOR, c1).lanewise(ROR, 12);
            b2 = b2.lanewise(XOR, c2).lanewise(ROR, 12);
            b3 = b3.lanewise(XOR, c3).lanewise(ROR, 12);
            a0 = a0.add(b0);
            a1 = a1.add(b1);
            a2 = a2.add(b2);
            a3 = a3.add(b3);
            d0 = d0.lanewise(XOR, a0).lanewise(ROR, 8);
            d1 = d1.lanewise(XOR, a1).lanewise(ROR, 8);
            d2 = d2.lanewise(XOR, a2).lanewise(ROR, 8);
            d3 = d3.lanewise(XOR, a3).lanewise(ROR, 8);
            c0 = c0.add(d0);
            c1 = c1.add(d1);
            c2 = c2.add(d2);
            c3 = c3.add(d3);
            b0 = b0.lanewise(XOR, c0).lanewise(ROR, 7);
            b1 = b1.lanewise(XOR, c1).lanewise(ROR, 7);
            b2 = b2.lanewise(XOR, c2).lanewise(ROR, 7);
            b3 = b3.lanewise(XOR, c3).lanewise(ROR, 7);
            IntVector t;
            t = a1;
            a1 = a3;
            a3 = t;
            t = b0;
            b0 = b1;
            b1 = t;
            t = b2;
            b2 = b3;
            b3 = t;
            t = c0;
            c0 = c2;
            c2 = t;
            t = d0;
            d0 = d3;
            d3 = t;
            t = d1;
            d1 = d2;
            d2 = t;
        }
        a0.lanewise(XOR, c0).intoArray(rows, to);
        a1.lanewise(XOR, c1).intoArray(rows, STRIDE + to);
        a2.lanewise(XOR, c2).intoArray(rows, 2 * STRIDE + to);
        a3.lanewise(XOR, c3).intoArray(rows, 3 * STRIDE + to);
        b0.lanewise(XOR, d0).intoArray(rows, 4 * STRIDE + to);
        b1.lanewise(XOR, d1).intoArray(rows, 5 * STRIDE + to);
        b2.lanewise(XOR, d2).intoArray(rows, 6 * STRIDE + to);
        b3.lanewise(XOR, d3).intoArray(rows, 7 * STRIDE + to);
    }
}
