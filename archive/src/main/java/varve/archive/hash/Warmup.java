package varve.archive.hash;

import java.lang.foreign.MemorySegment;

/// Runs the vector kernel until it is compiled, and checks it against the plain one.
///
/// Not compiled, it is some hundred times slower, and the JVM compiles what is called often. So it is called often, but
/// with nothing to do (see [VectorKernel]); a little real work in between shows the compiler which way the code goes.
/// The work comes first: of what has never run when it is compiled, nothing is kept.
final class Warmup {
    /// The vector kernel gave another hash than the plain one.
    static final class Disagreement extends Exception {
        private static final long serialVersionUID = 1L;

        private Disagreement(String message) {
            super(message);
        }
    }

    private static final int SIZE = 128 * Compression.LEAF; // fills all lanes of the plain kernel
    private static final long OFFSET = 5L << 42; // has leaf numbers of more than 32 bits

    private static final int LAPS = 300;
    private static final int WINS = 3; // in a row; the plain kernel is not compiled at first either
    private static final int LOSSES = 20;
    private static final int PAUSE_MILLIS = 10;
    private static final int IDLE_CALLS = 2500; // C2 begins after 5000
    private static final int COMPILED_NANOS = 20_000; // for one call of each method: 1,000 if so, 250,000 if not

    private final VectorKernel kernel = new VectorKernel();
    private final SubtreeHasher vector = new SubtreeHasher(kernel);
    private final SubtreeHasher plain = new SubtreeHasher(new PlainKernel());
    private final int[] leaves = new int[kernel.lanes() * LaneKernel.LEAF_WORDS];
    private final MemorySegment sample = sample();
    private long best = Long.MAX_VALUE;

    private static MemorySegment sample() {
        byte[] sample = new byte[SIZE];
        for (int i = 0; i < SIZE; i++) {
            sample[i] = (byte) (i % 251);
        }
        return MemorySegment.ofArray(sample);
    }

    /// {@return whether the vector kernel has become faster than the plain one}
    ///
    /// @throws Disagreement if their hashes differ
    boolean succeeds() throws Disagreement {
        int wins = 0;
        int losses = 0;
        for (int lap = 0; lap < LAPS && wins < WINS && losses < LOSSES; lap++) {
            if (work() > COMPILED_NANOS) {
                idle();
                pause();
            } else if (race()) {
                wins++;
            } else {
                wins = 0;
                losses++;
            }
        }
        return wins == WINS;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// {@return the time that one call of each method took}
    private long work() {
        long start = System.nanoTime();
        call(kernel.lanes());
        return System.nanoTime() - start;
    }

    private void idle() {
        for (int i = 0; i < IDLE_CALLS; i++) {
            call(0);
        }
    }

    private void call(int lanes) {
        kernel.gather(leaves, 0, lanes);
        kernel.pair(0, lanes);
        kernel.compress(0, 0, 0, 1, 0, lanes);
        kernel.compressZeros(0, 0, 0, 0, lanes);
    }

    /// {@return whether the vector kernel is faster than the plain one has ever been}
    private boolean race() throws Disagreement {
        long start = System.nanoTime();
        Hash found = hash(vector);
        long between = System.nanoTime();
        Hash expected = hash(plain);
        long end = System.nanoTime();
        if (!found.equals(expected)) {
            throw new Disagreement("self-test of hash kernel " + VectorKernel.NAME + ": expected " + expected
                    + " as of " + PlainKernel.NAME + ", found " + found);
        }
        best = Math.min(best, end - between);
        return between - start < best;
    }

    private Hash hash(SubtreeHasher hasher) {
        return Compression.parent(hasher.subtree(sample, OFFSET), hasher.zeros(OFFSET + SIZE, SIZE), 0);
    }
}
