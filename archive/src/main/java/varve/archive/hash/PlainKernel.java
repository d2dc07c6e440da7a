package varve.archive.hash;

import static java.lang.Integer.rotateRight;
import static varve.archive.hash.Compression.HALF_ROUNDS;

import java.util.Arrays;

/// The kernel that runs everywhere: loops over the lanes, which C2 makes into vector instructions.
///
/// C2 does so only if it can see that the iterations of a loop do not touch each other's words. So the state and the
/// eight message words of a half-round lie in *one* array, at distances that are constants; words of the message are
/// copied there before each half-round. The number of iterations has to be a constant too, so lanes without a leaf
/// are mixed all the same. And because the first and the last iterations are done one by one, many lanes are faster
/// than few: 128 reach three times the speed of 16.
final class PlainKernel extends LaneKernel {
    static final String NAME = "plain";

    private static final int LANES = 128;
    private static final int CHOSEN = 16 * LANES;

    /// 16 rows of state and 8 of the message words in use.
    private final int[] state = new int[24 * LANES];

    private final int[] message = new int[16 * LANES];

    @Override
    int lanes() {
        return LANES;
    }

    @Override
    void gather(int[] leaves, int at, int lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            for (int w = 0; w < 16; w++) {
                message[w * LANES + lane] = leaves[at + lane * LEAF_WORDS + w];
            }
        }
    }

    @Override
    void pair(int from, int lanes) {
        for (int w = 0; w < 8; w++) {
            for (int lane = 0; lane < lanes; lane++) {
                message[w * LANES + lane] = rows[w * STRIDE + from + 2 * lane];
                message[(w + 8) * LANES + lane] = rows[w * STRIDE + from + 2 * lane + 1];
            }
        }
    }

    @Override
    void compress(int from, int to, long counter, int step, int flags, int lanes) {
        begin(from, counter, step, flags);
        for (int h = 0; h < HALF_ROUNDS; h++) {
            for (int i = 0; i < 8; i++) {
                int chosen = Compression.scheduled(h, i) * LANES;
                System.arraycopy(message, chosen, state, CHOSEN + i * LANES, LANES);
            }
            halfRound(state);
        }
        end(to);
    }

    @Override
    void compressZeros(int from, int to, long counter, int flags, int lanes) {
        begin(from, counter, 1, flags);
        Arrays.fill(state, CHOSEN, state.length, 0);
        for (int h = 0; h < HALF_ROUNDS; h++) {
            halfRound(state);
        }
        end(to);
    }

    private void begin(int from, long counter, int step, int flags) {
        for (int w = 0; w < 8; w++) {
            System.arraycopy(rows, w * STRIDE + from, state, w * LANES, LANES);
        }
        for (int w = 0; w < 4; w++) {
            fill(8 + w, Compression.iv(w));
        }
        for (int lane = 0; lane < LANES; lane++) {
            state[12 * LANES + lane] = (int) counter + step * lane;
        }
        fill(13, (int) (counter >>> 32));
        fill(14, Compression.BLOCK);
        fill(15, flags);
    }

    private void fill(int row, int word) {
        Arrays.fill(state, row * LANES, (row + 1) * LANES, word);
    }

    private void end(int to) {
        for (int w = 0; w < 8; w++) {
            for (int lane = 0; lane < LANES; lane++) {
                rows[w * STRIDE + to + lane] = state[w * LANES + lane] ^ state[(w + 8) * LANES + lane];
            }
        }
    }

    /// See [Compression] for what is stored where.
    private static void halfRound(int[] s) {
        for (int l = 0; l < LANES; l++) {
            int a0 = s[l];
            int a1 = s[LANES + l];
            int a2 = s[2 * LANES + l];
            int a3 = s[3 * LANES + l];
            int b0 = s[4 * LANES + l];
            int b1 = s[5 * LANES + l];
            int b2 = s[6 * LANES + l];
            int b3 = s[7 * LANES + l];
            int c0 = s[8 * LANES + l];
            int c1 = s[9 * LANES + l];
            int c2 = s[10 * LANES + l];
            int c3 = s[11 * LANES + l];
            int d0 = s[12 * LANES + l];
            int d1 = s[13 * LANES + l];
            int d2 = s[14 * LANES + l];
            int d3 = s[15 * LANES + l];
            a0 += b0 + s[CHOSEN + l];
            a1 += b1 + s[CHOSEN + LANES + l];
            a2 += b2 + s[CHOSEN + 2 * LANES + l];
            a3 += b3 + s[CHOSEN + 3 * LANES + l];
            d0 = rotateRight(d0 ^ a0, 16);
            d1 = rotateRight(d1 ^ a1, 16);
            d2 = rotateRight(d2 ^ a2, 16);
            d3 = rotateRight(d3 ^ a3, 16);
            c0 += d0;
            c1 += d1;
            c2 += d2;
            c3 += d3;
            b0 = rotateRight(b0 ^ c0, 12);
            b1 = rotateRight(b1 ^ c1, 12);
            b2 = rotateRight(b2 ^ c2, 12);
            b3 = rotateRight(b3 ^ c3, 12);
            a0 += b0 + s[CHOSEN + 4 * LANES + l];
            a1 += b1 + s[CHOSEN + 5 * LANES + l];
            a2 += b2 + s[CHOSEN + 6 * LANES + l];
            a3 += b3 + s[CHOSEN + 7 * LANES + l];
            d0 = rotateRight(d0 ^ a0, 8);
            d1 = rotateRight(d1 ^ a1, 8);
            d2 = rotateRight(d2 ^ a2, 8);
            d3 = rotateRight(d3 ^ a3, 8);
            c0 += d0;
            c1 += d1;
            c2 += d2;
            c3 += d3;
            b0 = rotateRight(b0 ^ c0, 7);
            b1 = rotateRight(b1 ^ c1, 7);
            b2 = rotateRight(b2 ^ c2, 7);
            b3 = rotateRight(b3 ^ c3, 7);
            s[l] = a0;
            s[LANES + l] = a3;
            s[2 * LANES + l] = a2;
            s[3 * LANES + l] = a1;
            s[4 * LANES + l] = b1;
            s[5 * LANES + l] = b0;
            s[6 * LANES + l] = b3;
            s[7 * LANES + l] = b2;
            s[8 * LANES + l] = c2;
            s[9 * LANES + l] = c1;
            s[10 * LANES + l] = c0;
            s[11 * LANES + l] = c3;
            s[12 * LANES + l] = d3;
            s[13 * LANES + l] = d2;
            s[14 * LANES + l] = d1;
            s[15 * LANES + l] = d0;
        }
    }
}
