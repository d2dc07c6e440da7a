package varve.archive.hash;

import static varve.archive.hash.Assembler.R8;
import static varve.archive.hash.Assembler.R9;
import static varve.archive.hash.Assembler.RBX;

import java.util.Arrays;

/// Eight lanes. There are sixteen registers, so the message lies in the frame, and so do the chaining values between two blocks. Of the state one word of the third row lies there too,
/// which is only added to and mixed into another, so that one register is free for rotating.
final class Avx2Code extends MachineCode {
    private static final int VECTOR = 32;
    private static final int MESSAGE = OWN;
    private static final int VALUES = MESSAGE + 16 * VECTOR;
    private static final int ASIDE = VALUES + 8 * VECTOR;

    private static final int FREE = 8;
    private static final int NONE = -1;

    private final int[] rows = new int[8];

    Avx2Code(long address) {
        super(address, 8);
        for (int i = 0; i < 16; i++) {
            state[i] = i == FREE ? NONE : i;
        }
    }

    @Override
    int transposition() {
        int start = code.position();
        for (int i = 0; i < 8; i++) {
            rows[i] = i;
        }
        transposeAll(rows);
        code.end();
        return start;
    }

    /// eight registers of eight words; row `ORDER[i]` comes to `r[i]`, and that four rows on to `r[i + 4]`
    private void transposeAll(int[] r) {
        spare = FREE;
        transpose(r, 0);
        transpose(r, 4);
        for (int i = 0; i < 4; i++) {
            exchange(code::halves, r, i, i + 4);
        }
    }

    @Override
    void message(int stride, int transposition) {
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < lanes; i++) {
                code.load(i, R9, i * stride + half * VECTOR);
            }
            code.call(transposition);
            for (int i = 0; i < 8; i++) {
                code.store(rows[i], RBX, MESSAGE + (half * 8 + i / 4 * 4 + ORDER[i % 4]) * VECTOR);
            }
        }
    }

    @Override
    void join(int word) {
        if (state[word + 8] == NONE) {
            code.xor(state[word], state[word], RBX, ASIDE);
        } else {
            code.xor(state[word], state[word], state[word + 8]);
        }
        code.store(state[word], RBX, VALUES + word * VECTOR);
    }

    @Override
    void mix(boolean words, int half, int firstWord, int first, int second) {
        for (int i = 0; i < 4 && words; i++) {
            code.add(state[i], state[i], RBX, MESSAGE + Compression.scheduled(half, firstWord + i) * VECTOR);
        }
        for (int i = 0; i < 4; i++) {
            code.add(state[i], state[i], state[i + 4]);
        }
        for (int i = 0; i < 4; i++) {
            code.xor(state[i + 12], state[i + 12], state[i]);
            code.order(state[i + 12], state[i + 12], R8, first == 16 ? BY_16 : BY_8);
        }
        for (int i = 0; i < 4; i++) {
            if (state[i + 8] == NONE) {
                code.add(FREE, state[i + 12], RBX, ASIDE);
                code.store(FREE, RBX, ASIDE);
                code.xor(state[i + 4], state[i + 4], FREE);
            } else {
                code.add(state[i + 8], state[i + 8], state[i + 12]);
                code.xor(state[i + 4], state[i + 4], state[i + 8]);
            }
        }
        for (int i = 0; i < 4; i++) {
            code.shiftWordsRight(FREE, state[i + 4], second);
            code.shiftWordsLeft(state[i + 4], state[i + 4], Integer.SIZE - second);
            code.or(state[i + 4], state[i + 4], FREE);
        }
    }

    @Override
    void spread(int word, int base, int distance) {
        if (word < 8) {
            code.spread(FREE, base, distance);
            code.store(FREE, RBX, VALUES + word * VECTOR);
        } else if (state[word] == NONE) {
            code.spread(FREE, base, distance);
            code.store(FREE, RBX, ASIDE);
        } else {
            code.spread(state[word], base, distance);
        }
    }

    @Override
    void resume() {
        for (int i = 0; i < 8; i++) {
            code.load(state[i], RBX, VALUES + i * VECTOR);
        }
    }

    @Override
    void store(int base) {
        int[] r = Arrays.copyOf(state, 8);
        transposeAll(r);
        for (int i = 0; i < 8; i++) {
            code.store(r[i], base, (i / 4 * 4 + ORDER[i % 4]) * Hash.SIZE);
        }
    }
}
