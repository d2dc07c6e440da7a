package varve.archive.hash;

import java.io.ByteArrayOutputStream;

/// Machine code for x86-64, as far as [MachineCode] needs it: vectors of 512 bits (AVX-512) or 256 (AVX2), and a handful of plain instructions.
///
/// Vector registers are numbers up to 31, or up to 15. What an instruction writes comes first, as in Intel's manual (Software Developer's Manual,
/// volume 2: 2.3 has the prefix VEX, 2.7 EVEX, chapters 3 to 5 the instructions). Addresses are a general register and a distance.
final class Assembler {
    // general registers, of which RBX and RSP are the caller's, and the first four arguments RDI, RSI, RDX, RCX (System V ABI for AMD64, 3.2.3)
    static final int RAX = 0;
    static final int RCX = 1;
    static final int RDX = 2;
    static final int RBX = 3;
    static final int RSP = 4;
    static final int RSI = 6;
    static final int RDI = 7;
    static final int R8 = 8;
    static final int R9 = 9;
    static final int R10 = 10;
    static final int R11 = 11;

    // prefix 66 or F3, and map of an instruction
    private static final int P66 = 1;
    private static final int PF3 = 2;
    private static final int MAP_0F = 1;
    private static final int MAP_0F38 = 2;
    private static final int MAP_0F3A = 3;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final boolean wide;

    /// @param wide whether vectors have 512 bits
    Assembler(boolean wide) {
        this.wide = wide;
    }

    /// {@return where the next instruction will be}
    int position() {
        return code.size();
    }

    byte[] code() {
        return code.toByteArray();
    }

    // ---- vectors

    /// vmovdqu32, vmovdqu
    void load(int to, int base, int distance) {
        memory(MAP_0F, PF3, 0x6f, to, 0, base, distance);
    }

    void store(int from, int base, int distance) {
        memory(MAP_0F, PF3, 0x7f, from, 0, base, distance);
    }

    /// vpbroadcastd: one word to all
    void spread(int to, int base, int distance) {
        memory(MAP_0F38, P66, 0x58, to, 0, base, distance);
    }

    /// vpaddd
    void add(int to, int a, int b) {
        registers(MAP_0F, P66, 0xfe, to, a, b);
    }

    void add(int to, int a, int base, int distance) {
        memory(MAP_0F, P66, 0xfe, to, a, base, distance);
    }

    /// vpxord, vpxor
    void xor(int to, int a, int b) {
        registers(MAP_0F, P66, 0xef, to, a, b);
    }

    void xor(int to, int a, int base, int distance) {
        memory(MAP_0F, P66, 0xef, to, a, base, distance);
    }

    /// vpor, of 256 bits
    void or(int to, int a, int b) {
        registers(MAP_0F, P66, 0xeb, to, a, b);
    }

    /// vprord, of 512 bits
    void rotateRight(int to, int from, int bits) {
        immediate(0, to, from, bits);
    }

    /// vpsrld
    void shiftWordsRight(int to, int from, int bits) {
        immediate(2, to, from, bits);
    }

    /// vpslld
    void shiftWordsLeft(int to, int from, int bits) {
        immediate(6, to, from, bits);
    }

    private void immediate(int operation, int to, int from, int bits) {
        registers(MAP_0F, P66, 0x72, operation, to, from);
        code.write(bits);
    }

    /// vpshufb: bytes in the order that memory says, of 256 bits
    void order(int to, int from, int base, int distance) {
        memory(MAP_0F38, P66, 0x00, to, from, base, distance);
    }

    /// vpunpckldq, vpunpckhdq: within each 128 bits, the words of the lower (upper) half of `a`, each followed by that of `b`
    void interleave(boolean upper, int to, int a, int b) {
        registers(MAP_0F, P66, upper ? 0x6a : 0x62, to, a, b);
    }

    /// vpunpcklqdq, vpunpckhqdq: the same of pairs of words
    void interleavePairs(boolean upper, int to, int a, int b) {
        registers(MAP_0F, P66, upper ? 0x6d : 0x6c, to, a, b);
    }

    /// vshufi32x4: the even (odd) quarters of `a`, then those of `b`
    void quarters(boolean odd, int to, int a, int b) {
        registers(MAP_0F3A, P66, 0x43, to, a, b);
        code.write(odd ? 0xdd : 0x88);
    }

    /// vperm2i128: the lower (upper) half of `a`, then that of `b`
    void halves(boolean upper, int to, int a, int b) {
        registers(MAP_0F3A, P66, 0x46, to, a, b);
        code.write(upper ? 0x31 : 0x20);
    }

    /// vextracti32x4: one quarter to memory
    void storeQuarter(int from, int quarter, int base, int distance) {
        memory(MAP_0F3A, P66, 0x39, from, 0, base, distance);
        code.write(quarter);
    }

    /// vzeroupper
    void zeroUpper() {
        bytes(0xc5, 0xf8, 0x77);
    }

    // ---- general registers

    void push(int register) {
        bytes(0x50 | register);
    }

    void pop(int register) {
        bytes(0x58 | register);
    }

    void move(int to, int from) {
        bytes(0x48 | from >> 3 << 2 | to >> 3, 0x89, 0xc0 | (from & 7) << 3 | to & 7);
    }

    void set(int to, long value) {
        bytes(0x48 | to >> 3, 0xb8 | to & 7);
        number(value, Long.BYTES);
    }

    void add(int to, int value) {
        bytes(0x48 | to >> 3, 0x81, 0xc0 | to & 7);
        number(value, Integer.BYTES);
    }

    void shiftRight(int register, int bits) {
        bytes(0x48 | register >> 3, 0xc1, 0xe8 | register & 7, bits);
    }

    /// Writes eight bytes to memory.
    void put(int from, int base, int distance) {
        bytes(0x48 | from >> 3 << 2 | base >> 3, 0x89, 0x80 | (from & 7) << 3 | base & 7);
        number(distance, Integer.BYTES);
    }

    // ---- where to go on

    /// Jumps to an instruction before this, unless the sum of a register and a value, which it becomes, is zero.
    void addAndLoop(int register, int value, int target) {
        add(register, value);
        bytes(0x0f, 0x85);
        number(target - (position() + Integer.BYTES), Integer.BYTES);
    }

    void call(int target) {
        bytes(0xe8);
        number(target - (position() + Integer.BYTES), Integer.BYTES);
    }

    void end() {
        bytes(0xc3);
    }

    // ---- bytes

    private void registers(int map, int prefix, int operation, int to, int a, int b) {
        prefix(map, prefix, operation, to, a, b, b >> 4);
        bytes(operation, 0xc0 | (to & 7) << 3 | b & 7);
    }

    private void memory(int map, int prefix, int operation, int to, int a, int base, int distance) {
        prefix(map, prefix, operation, to, a, base, 0);
        bytes(operation, 0x80 | (to & 7) << 3 | base & 7);
        number(distance, Integer.BYTES);
    }

    /// @param x bit 4 of a vector register `b`
    private void prefix(int map, int prefix, int operation, int to, int a, int b, int x) {
        int reach = (~to >> 3 & 1) << 7 | (~x & 1) << 6 | (~b >> 3 & 1) << 5 | map;
        int second = (~a & 15) << 3 | prefix;
        if (wide) {
            int pairs = operation == 0x6c || operation == 0x6d ? 1 << 7 : 0;
            bytes(0x62, reach | (~to >> 4 & 1) << 4, pairs | second | 1 << 2, 2 << 5 | (~a >> 4 & 1) << 3);
        } else {
            bytes(0xc4, reach, second | 1 << 2);
        }
    }

    private void bytes(int... bytes) {
        for (int b : bytes) {
            code.write(b);
        }
    }

    private void number(long value, int size) {
        for (int i = 0; i < size; i++) {
            code.write((int) (value >>> 8 * i));
        }
    }
}
