package varve.archive.hash;

import static varve.archive.hash.Assembler.R10;
import static varve.archive.hash.Assembler.R11;
import static varve.archive.hash.Assembler.R8;
import static varve.archive.hash.Assembler.R9;
import static varve.archive.hash.Assembler.RAX;
import static varve.archive.hash.Assembler.RBX;
import static varve.archive.hash.Assembler.RCX;
import static varve.archive.hash.Assembler.RDI;
import static varve.archive.hash.Assembler.RDX;
import static varve.archive.hash.Assembler.RSI;
import static varve.archive.hash.Assembler.RSP;
import static varve.archive.hash.Compression.BLOCK;
import static varve.archive.hash.Compression.BLOCKS;
import static varve.archive.hash.Compression.CHUNK_END;
import static varve.archive.hash.Compression.CHUNK_START;
import static varve.archive.hash.Compression.LEAF;
import static varve.archive.hash.Compression.PARENT;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// BLAKE3 of as many leaves or parents side by side as a vector has words: functions for x86-64, made anew in each process.
///
/// They take addresses and numbers in `RDI`, `RSI`, `RDX` and `RCX`, return 0, and leave their caller's registers as they are (System V ABI for
/// AMD64, 3.2). A chaining value is [Hash#SIZE] bytes.
///
/// # What the kinds have in common
///
/// The state is sixteen vectors, of which each has one word of all lanes. A message is brought together by transposing a square: the block of each lane is loaded
/// as it lies, and becomes vectors that have one word of all lanes. Steps take two registers and make two, and need a spare one to do so, so that at the end each word is in some register, known
/// when the code is made. Compressing is 784 instructions or more, which are there twice: once without a message, for zeros.
///
/// `R8` has the address of the tables that lie before the code, `RBX` that of a frame on the stack, `R9` that of the block of the first lane.
abstract sealed class MachineCode permits Avx512Code, Avx2Code {
    /// Room for all of it.
    static final int SIZE = 24 << 10;

    // tables, as distances from R8
    private static final int INITIAL = 0;
    private static final int NUMBERS = INITIAL + 8 * Integer.BYTES;
    private static final int FLAGS = NUMBERS + 16 * Integer.BYTES;
    private static final int ZERO = FLAGS + BLOCKS * Integer.BYTES;
    private static final int LENGTH = ZERO + Integer.BYTES;
    private static final int PARENT_FLAG = LENGTH + Integer.BYTES;
    static final int BY_16 = PARENT_FLAG + 2 * Integer.BYTES;
    static final int BY_8 = BY_16 + 32;
    private static final int TABLES = BY_8 + 32;

    // the frame, as distances from RBX
    private static final int INDEX = 0;
    static final int OWN = 64;
    private static final int FRAME = 1024;

    final int lanes;
    final Assembler code;
    private final long address;
    private int leaves;
    private int zeros;
    private int parents;

    /// Which register has which word of the state.
    final int[] state = new int[16];

    /// After [#transpose], which row of the squares is in which of four registers, and the other way round.
    static final int[] ORDER = {0, 2, 1, 3};

    int spare;

    /// @param address where it is going to lie
    MachineCode(long address, int lanes) {
        this.address = address;
        this.lanes = lanes;
        this.code = new Assembler(lanes == 16);
    }

    /// {@return where the function of leaves begins: where they lie, where to write their values, how many groups of [#lanes], number of the first one}
    final int leaves() {
        return TABLES + leaves;
    }

    /// {@return where that of leaves of zeros begins}
    final int zeros() {
        return TABLES + zeros;
    }

    /// {@return where the function of parents begins, which replaces values by those of their parents: where they lie, how many groups of parents
    /// they have, and for how many levels to do so}
    final int parents() {
        return TABLES + parents;
    }

    /// {@return tables and code}
    final byte[] make() {
        int transposition = transposition();
        int rounds = rounds(true);
        int roundsOfZeros = rounds(false);
        leaves = leaves(false, transposition, rounds);
        zeros = leaves(true, transposition, roundsOfZeros);
        parents = parents(transposition, rounds);
        byte[] machine = code.code();
        ByteBuffer bytes = ByteBuffer.allocate(TABLES + machine.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 8; i++) {
            bytes.putInt(Compression.iv(i));
        }
        for (int i = 0; i < 16; i++) {
            bytes.putInt(i);
        }
        for (int i = 0; i < BLOCKS; i++) {
            bytes.putInt((i == 0 ? CHUNK_START : 0) | (i == BLOCKS - 1 ? CHUNK_END : 0));
        }
        bytes.putInt(0).putInt(BLOCK).putInt(PARENT).putInt(0);
        for (int by : new int[] {2, 1}) {
            for (int i = 0; i < 32; i++) {
                bytes.put((byte) (i & 12 | i + by & 3));
            }
        }
        return bytes.put(machine).array();
    }

    // ---- what differs

    /// Makes a part that transposes what [#message] has loaded.
    abstract int transposition();

    /// Brings a message together.
    ///
    /// @param stride from one lane's block to the next one's
    abstract void message(int stride, int transposition);

    /// Mixes four columns or diagonals side by side, which keeps the processor busy; half of what is to be done with each.
    ///
    /// @param words whether there is a message; if not, it is zeros
    /// @param firstWord of the message, of the four that are taken
    /// @param first bits to rotate the last row by
    /// @param second bits to rotate the second row by
    abstract void mix(boolean words, int half, int firstWord, int first, int second);

    /// Makes a word of the state, when all is mixed, one of the next chaining value, where that of the first one was.
    abstract void join(int word);

    /// Sets one word of the state in all lanes.
    abstract void spread(int word, int base, int distance);

    /// What is to be done before the last eight words of the state are set.
    abstract void resume();

    /// Writes the chaining values lane by lane.
    abstract void store(int base);

    // ---- the functions

    /// Makes a part that compresses, and leaves the next chaining values where the first ones were.
    private int rounds(boolean words) {
        int start = code.position();
        for (int half = 0; half < Compression.HALF_ROUNDS; half++) {
            mix(words, half, 0, 16, 12);
            mix(words, half, 4, 8, 7);
            Compression.rename(state);
        }
        for (int i = 0; i < 8; i++) {
            join(i);
        }
        code.end();
        return start;
    }

    private int leaves(boolean ofZeros, int transposition, int rounds) {
        int start = begin();
        int group = code.position();
        initial();
        code.move(R9, RDI);
        code.move(R11, R8);
        code.set(R10, BLOCKS);
        int block = code.position();
        if (!ofZeros) {
            message(LEAF, transposition);
        }
        resume();
        constants();
        code.put(RCX, RBX, INDEX);
        spread(12, RBX, INDEX);
        code.add(state[12], state[12], R8, NUMBERS);
        spread(13, RBX, INDEX + Integer.BYTES);
        spread(15, R11, FLAGS);
        code.call(rounds);
        code.add(R9, BLOCK);
        code.add(R11, Integer.BYTES);
        code.addAndLoop(R10, -1, block);
        store(RSI);
        code.add(RDI, lanes * LEAF);
        code.add(RSI, lanes * Hash.SIZE);
        code.add(RCX, lanes);
        code.addAndLoop(RDX, -1, group);
        end();
        return start;
    }

    private int parents(int transposition, int rounds) {
        int start = begin();
        int level = code.position();
        code.move(R9, RDI);
        code.move(R10, RDI);
        code.move(R11, RSI);
        int group = code.position();
        initial();
        message(BLOCK, transposition);
        resume();
        constants();
        spread(12, R8, ZERO);
        spread(13, R8, ZERO);
        spread(15, R8, PARENT_FLAG);
        code.call(rounds);
        store(R10);
        code.add(R9, lanes * BLOCK);
        code.add(R10, lanes * Hash.SIZE);
        code.addAndLoop(R11, -1, group);
        code.add(RSI, 1);
        code.shiftRight(RSI, 1);
        code.addAndLoop(RDX, -1, level);
        end();
        return start;
    }

    private int begin() {
        int start = code.position();
        code.push(RBX);
        code.add(RSP, -FRAME);
        code.move(RBX, RSP);
        code.set(R8, address);
        return start;
    }

    private void end() {
        code.zeroUpper();
        code.add(RSP, FRAME);
        code.pop(RBX);
        code.set(RAX, 0);
        code.end();
    }

    private void initial() {
        for (int i = 0; i < 8; i++) {
            spread(i, R8, INITIAL + i * Integer.BYTES);
        }
    }

    private void constants() {
        for (int i = 0; i < 4; i++) {
            spread(8 + i, R8, INITIAL + i * Integer.BYTES);
        }
        spread(14, R8, LENGTH);
    }

    // ---- steps

    interface Half {
        void write(boolean second, int to, int a, int b);
    }

    /// Makes two registers the two halves of what an instruction makes of them.
    final void exchange(Half half, int[] r, int i, int j) {
        half.write(false, spare, r[i], r[j]);
        half.write(true, r[j], r[i], r[j]);
        int free = r[i];
        r[i] = spare;
        spare = free;
    }

    /// Transposes the squares of 4 x 4 words that four registers have in their quarters or halves.
    final void transpose(int[] r, int i) {
        exchange(code::interleave, r, i, i + 1);
        exchange(code::interleave, r, i + 2, i + 3);
        exchange(code::interleavePairs, r, i, i + 2);
        exchange(code::interleavePairs, r, i + 1, i + 3);
    }
}
