package varve.archive.hash;

import static varve.archive.hash.Assembler.R10;
import static varve.archive.hash.Assembler.R11;
import static varve.archive.hash.Assembler.R8;
import static varve.archive.hash.Assembler.R9;
import static varve.archive.hash.Assembler.RAX;
import static varve.archive.hash.Assembler.RCX;
import static varve.archive.hash.Assembler.RDI;
import static varve.archive.hash.Assembler.RDX;
import static varve.archive.hash.Assembler.RSI;
import static varve.archive.hash.Compression.BLOCK;
import static varve.archive.hash.Compression.BLOCKS;
import static varve.archive.hash.Compression.CHUNK_END;
import static varve.archive.hash.Compression.CHUNK_START;
import static varve.archive.hash.Compression.LEAF;
import static varve.archive.hash.Compression.PARENT;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// BLAKE3 of sixteen leaves or parents side by side: functions for x86-64 with AVX-512, made anew in each process.
///
/// They take addresses and numbers in `RDI`, `RSI`, `RDX` and `RCX`, return 0, and use neither registers that are their caller's nor a stack but for return
/// addresses (System V ABI for AMD64, 3.2). A chaining value is [Hash#SIZE] bytes.
///
/// # Registers
///
/// The state is sixteen registers, of which each has one word of all lanes. Its first eight are the chaining values from one block to the next. While the
/// message is brought together the other eight are free: the block of each lane is loaded as it lies, and the square of words is transposed,
/// first within quarters of registers, then the quarters themselves. Each step takes two registers and makes two, and needs a spare one to do so,
/// so that at the end each word of the message is in some register, known when the code is made.
///
/// A compression is 784 instructions, which are there twice: once without a message, for zeros.
final class MachineCode {
    static final int LANES = 16;

    /// Room for all of it.
    static final int SIZE = 16 << 10;

    private static final int FIRST_ROW = 16;

    /// After [#interleave], which row of the squares is in which of four registers, and the other way round.
    private static final int[] ORDER = {0, 2, 1, 3};

    // tables before the code, as distances from R8
    private static final int INITIAL = 0;
    private static final int NUMBERS = INITIAL + 8 * Integer.BYTES;
    private static final int FLAGS = NUMBERS + LANES * Integer.BYTES;
    private static final int TABLES = FLAGS + BLOCKS * Integer.BYTES;

    private final Assembler code = new Assembler();
    private final long address;
    private final int[] state = new int[16];
    private final int[] message = new int[16];
    private int spare = FIRST_ROW - 1;

    /// Where the function of leaves begins: where they lie, where to write their values, how many groups of sixteen, number of the first one.
    final int leaves;

    /// The same, of leaves of zeros.
    final int zeros;

    /// Where the function of parents begins, which replaces values by those of their parents: where they lie, how many groups of sixteen parents
    /// they have, and for how many levels to do so.
    final int parents;

    /// @param address where it is going to lie
    MachineCode(long address) {
        this.address = address;
        int transposition = transposition();
        allot();
        int rounds = rounds(true);
        int roundsOfZeros = rounds(false);
        leaves = TABLES + leaves(false, transposition, rounds);
        zeros = TABLES + leaves(true, transposition, roundsOfZeros);
        parents = TABLES + parents(transposition, rounds);
    }

    /// {@return tables and code}
    byte[] bytes() {
        byte[] machine = code.code();
        ByteBuffer bytes = ByteBuffer.allocate(TABLES + machine.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 8; i++) {
            bytes.putInt(Compression.iv(i));
        }
        for (int i = 0; i < LANES; i++) {
            bytes.putInt(i);
        }
        for (int i = 0; i < BLOCKS; i++) {
            bytes.putInt((i == 0 ? CHUNK_START : 0) | (i == BLOCKS - 1 ? CHUNK_END : 0));
        }
        return bytes.put(machine).array();
    }

    // ---- the message

    /// rows become words
    private int transposition() {
        int start = code.position();
        int[] r = new int[16];
        for (int i = 0; i < 16; i++) {
            r[i] = FIRST_ROW + i;
        }
        for (int i = 0; i < 16; i += 4) {
            interleave(r, i);
        }
        for (int i = 0; i < 4; i++) {
            exchange(code::quarters, r, i, i + 4);
            exchange(code::quarters, r, i + 8, i + 12);
            exchange(code::quarters, r, i, i + 8);
            exchange(code::quarters, r, i + 4, i + 12);
            int word = ORDER[i];
            message[word] = r[i];
            message[word + 4] = r[i + 4];
            message[word + 8] = r[i + 8];
            message[word + 12] = r[i + 12];
        }
        code.end();
        return start;
    }


    /// transposes the squares of 4 x 4 words that four registers have in their quarters
    private void interleave(int[] r, int i) {
        exchange(code::interleave, r, i, i + 1);
        exchange(code::interleave, r, i + 2, i + 3);
        exchange(code::interleavePairs, r, i, i + 2);
        exchange(code::interleavePairs, r, i + 1, i + 3);
    }

    private interface Half {
        void write(boolean second, int to, int a, int b);
    }

    /// two registers become the two halves of what an instruction makes of them
    private void exchange(Half half, int[] r, int i, int j) {
        half.write(false, spare, r[i], r[j]);
        half.write(true, r[j], r[i], r[j]);
        int free = r[i];
        r[i] = spare;
        spare = free;
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

    // ---- the compression

    private int rounds(boolean words) {
        int start = code.position();
        for (int half = 0; half < Compression.HALF_ROUNDS; half++) {
            mix(words, half * 2, 16, 12);
            mix(words, half * 2 + 1, 8, 7);
            Compression.rename(state);
        }
        for (int i = 0; i < 8; i++) {
            code.xor(state[i], state[i], state[i + 8]);
        }
        code.end();
        return start;
    }

    /// half of what mixes four columns, side by side, which keeps the processor busy
    private void mix(boolean words, int part, int first, int second) {
        for (int i = 0; i < 4 && words; i++) {
            code.add(state[i], state[i], message[Compression.scheduled(part / 2, part % 2 * 4 + i)]);
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
            code.rotateRight(state[row + i], bits);
        }
    }

    // ---- the functions

    private int leaves(boolean zeros, int transposition, int rounds) {
        int start = code.position();
        code.set(R8, address);
        int group = code.position();
        initial(8, 0);
        code.move(R9, RDI);
        code.move(R11, R8);
        code.set(R10, BLOCKS);
        int block = code.position();
        if (!zeros) {
            message(LEAF, transposition);
        }
        initial(4, 8);
        code.spread(state[12], RCX);
        code.add(state[12], state[12], R8, NUMBERS);
        code.move(RAX, RCX);
        code.shiftRight(RAX, Integer.SIZE);
        code.spread(state[13], RAX);
        spread(state[14], BLOCK);
        code.spread(state[15], R11, FLAGS);
        code.call(rounds);
        code.add(R9, BLOCK);
        code.add(R11, Integer.BYTES);
        code.addAndLoop(R10, -1, block);
        store(RSI);
        code.add(RDI, LANES * LEAF);
        code.add(RSI, LANES * Hash.SIZE);
        code.add(RCX, LANES);
        code.addAndLoop(RDX, -1, group);
        end();
        return start;
    }

    private int parents(int transposition, int rounds) {
        int start = code.position();
        code.set(R8, address);
        int level = code.position();
        code.move(R9, RDI);
        code.move(R10, RDI);
        code.move(R11, RSI);
        int group = code.position();
        initial(8, 0);
        message(BLOCK, transposition);
        initial(4, 8);
        spread(state[12], 0);
        spread(state[13], 0);
        spread(state[14], BLOCK);
        spread(state[15], PARENT);
        code.call(rounds);
        store(R10);
        code.add(R9, LANES * BLOCK);
        code.add(R10, LANES * Hash.SIZE);
        code.addAndLoop(R11, -1, group);
        code.add(RSI, 1);
        code.shiftRight(RSI, 1);
        code.addAndLoop(RDX, -1, level);
        end();
        return start;
    }

    private void initial(int words, int at) {
        for (int i = 0; i < words; i++) {
            code.spread(state[at + i], R8, INITIAL + i * Integer.BYTES);
        }
    }

    private void spread(int register, int value) {
        code.set(RAX, value);
        code.spread(register, RAX);
    }

    /// @param stride from one lane's block to the next one's, from R9 on
    private void message(int stride, int transposition) {
        for (int i = 0; i < LANES; i++) {
            code.load(FIRST_ROW + i, R9, i * stride);
        }
        code.call(transposition);
    }

    /// writes the chaining values, which are the first half of the state, lane by lane
    private void store(int base) {
        int[] r = Arrays.copyOf(state, 8);
        spare = state[8];
        interleave(r, 0);
        interleave(r, 4);
        for (int lane = 0; lane < LANES; lane++) {
            for (int half = 0; half < 2; half++) {
                code.storeQuarter(r[half * 4 + ORDER[lane % 4]], lane / 4, base, lane * Hash.SIZE + half * Hash.SIZE / 2);
            }
        }
    }

    private void end() {
        code.zeroUpper();
        code.set(RAX, 0);
        code.end();
    }
}
