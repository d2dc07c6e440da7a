package varve.archive.hash;

import static varve.archive.hash.Assembler.R9;

import java.util.Arrays;

/// Sixteen lanes. There are 32 registers, so that state and message have one for each word. The chaining values stay in eight of them; the other eight of the state
/// are free while a message is transposed.
final class Avx512Code extends MachineCode {
    private static final int FIRST_ROW = 16;

    private final int[] message = new int[16];

    Avx512Code(long address) {
        super(address, 16);
    }

    @Override
    int transposition() {
        int start = code.position();
        int[] r = new int[16];
        for (int i = 0; i < 16; i++) {
            r[i] = FIRST_ROW + i;
        }
        spare = FIRST_ROW - 1;
        for (int i = 0; i < 16; i += 4) {
            transpose(r, i);
        }
        for (int i = 0; i < 4; i++) {
            exchange(code::quarters, r, i, i + 4);
            exchange(code::quarters, r, i + 8, i + 12);
            exchange(code::quarters, r, i, i + 8);
            exchange(code::quarters, r, i + 4, i + 12);
            for (int quarter = 0; quarter < 16; quarter += 4) {
                message[quarter + ORDER[i]] = r[quarter + i];
            }
        }
        code.end();
        allot();
        return start;
    }

    /// gives the state the registers that the message has not
    private void allot() {
        int taken = 0;
        for (int register : message) {
            taken |= 1 << register;
        }
        int next = 0;
        for (int register = 0; register < 32; register++) {
            if ((taken >> register & 1) == 0) {
                state[next++] = register;
            }
        }
    }

    @Override
    void message(int stride, int transposition) {
        for (int i = 0; i < lanes; i++) {
            code.load(FIRST_ROW + i, R9, i * stride);
        }
        code.call(transposition);
    }

    @Override
    void join(int word) {
        code.xor(state[word], state[word], state[word + 8]);
    }

    @Override
    void mix(boolean words, int half, int firstWord, int first, int second) {
        for (int i = 0; i < 4 && words; i++) {
            code.add(state[i], state[i], message[Compression.scheduled(half, firstWord + i)]);
        }
        for (int i = 0; i < 4; i++) {
            code.add(state[i], state[i], state[i + 4]);
        }
        rotate(12, 0, first);
        for (int i = 0; i < 4; i++) {
            code.add(state[i + 8], state[i + 8], state[i + 12]);
        }
        rotate(4, 8, second);
    }

    private void rotate(int row, int other, int bits) {
        for (int i = 0; i < 4; i++) {
            code.xor(state[row + i], state[row + i], state[other + i]);
        }
        for (int i = 0; i < 4; i++) {
            code.rotateRight(state[row + i], state[row + i], bits);
        }
    }

    @Override
    void spread(int word, int base, int distance) {
        code.spread(state[word], base, distance);
    }

    @Override
    void resume() {
        // the chaining values are in their registers
    }

    @Override
    void store(int base) {
        int[] r = Arrays.copyOf(state, 8);
        spare = state[8];
        transpose(r, 0);
        transpose(r, 4);
        for (int lane = 0; lane < lanes; lane++) {
            for (int half = 0; half < 2; half++) {
                code.storeQuarter(r[half * 4 + ORDER[lane % 4]], lane / 4, base, lane * Hash.SIZE + half * Hash.SIZE / 2);
            }
        }
    }
}
