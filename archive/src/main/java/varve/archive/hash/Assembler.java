package varve.archive.hash;

import java.io.ByteArrayOutputStream;

/// Machine code for x86-64, as far as [MachineCode] needs it: AVX-512 on whole registers of sixteen words, and a handful of plain instructions.
///
/// Vector registers are numbers from 0 to 31. What an instruction writes comes first, as in Intel's manual (Software Developer's Manual,
/// volume 2: 2.7 has the prefix EVEX, chapters 3 to 5 the instructions). Addresses are a general register and a distance.
final class Assembler {
    // general registers that a function may use as it likes, and the first four of its arguments (System V ABI for AMD64, 3.2.3)
    static final int RAX = 0;
    static final int RCX = 1;
    static final int RDX = 2;
    static final int RSI = 6;
    static final int RDI = 7;
    static final int R8 = 8;
    static final int R9 = 9;
    static final int R10 = 10;
    static final int R11 = 11;

    // prefix 66 or F3, map and W of an EVEX instruction, and its code
    private static final int P66 = 1;
    private static final int PF3 = 2;
    private static final int MAP_0F = 1;
    private static final int MAP_0F38 = 2;
    private static final int MAP_0F3A = 3;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();

    /// {@return where the next instruction will be}
    int position() {
        return code.size();
    }

    byte[] code() {
        return code.toByteArray();
    }

    // ---- sixteen words at a time

    /// vmovdqu32
    void load(int to, int base, int distance) {
        memory(MAP_0F, PF3, 0, 0x6f, to, 0, base, distance);
    }

    /// vpbroadcastd: one word from memory to all
    void spread(int to, int base, int distance) {
        memory(MAP_0F38, P66, 0, 0x58, to, 0, base, distance);
    }

    /// vpbroadcastd: the lower half of a general register to all
    void spread(int to, int general) {
        registers(MAP_0F38, P66, 0, 0x7c, to, 0, general);
    }

    /// vpaddd
    void add(int to, int a, int b) {
        registers(MAP_0F, P66, 0, 0xfe, to, a, b);
    }

    /// vpaddd, of words in memory
    void add(int to, int a, int base, int distance) {
        memory(MAP_0F, P66, 0, 0xfe, to, a, base, distance);
    }

    /// vpxord
    void xor(int to, int a, int b) {
        registers(MAP_0F, P66, 0, 0xef, to, a, b);
    }

    /// vprord
    void rotateRight(int register, int bits) {
        registers(MAP_0F, P66, 0, 0x72, 0, register, register);
        code.write(bits);
    }

    /// vpunpckldq, vpunpckhdq: within each quarter, the words of the lower (upper) half of `a`, each followed by that of `b`
    void interleave(boolean upper, int to, int a, int b) {
        registers(MAP_0F, P66, 0, upper ? 0x6a : 0x62, to, a, b);
    }

    /// vpunpcklqdq, vpunpckhqdq: the same of pairs of words
    void interleavePairs(boolean upper, int to, int a, int b) {
        registers(MAP_0F, P66, 1, upper ? 0x6d : 0x6c, to, a, b);
    }

    /// vshufi32x4: the even (odd) quarters of `a`, then those of `b`
    void quarters(boolean odd, int to, int a, int b) {
        registers(MAP_0F3A, P66, 0, 0x43, to, a, b);
        code.write(odd ? 0xdd : 0x88);
    }

    /// vextracti32x4: one quarter to memory
    void storeQuarter(int from, int quarter, int base, int distance) {
        memory(MAP_0F3A, P66, 0, 0x39, from, 0, base, distance);
        code.write(quarter);
    }

    /// vzeroupper
    void zeroUpper() {
        bytes(0xc5, 0xf8, 0x77);
    }

    // ---- general registers

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

    private void registers(int map, int prefix, int w, int operation, int to, int a, int b) {
        evex(map, prefix, w, to, a, b, b >> 4);
        bytes(operation, 0xc0 | (to & 7) << 3 | b & 7);
    }

    private void memory(int map, int prefix, int w, int operation, int to, int a, int base, int distance) {
        evex(map, prefix, w, to, a, base, 0);
        bytes(operation, 0x80 | (to & 7) << 3 | base & 7);
        number(distance, Integer.BYTES);
    }

    /// @param x bit 4 of a vector register `b`
    private void evex(int map, int prefix, int w, int to, int a, int b, int x) {
        bytes(
                0x62,
                (~to >> 3 & 1) << 7 | (~x & 1) << 6 | (~b >> 3 & 1) << 5 | (~to >> 4 & 1) << 4 | map,
                w << 7 | (~a & 15) << 3 | 1 << 2 | prefix,
                2 << 5 | (~a >> 4 & 1) << 3); // 512 bits, no mask
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
