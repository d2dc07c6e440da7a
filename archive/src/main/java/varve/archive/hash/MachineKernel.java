package varve.archive.hash;

import static varve.archive.hash.Compression.LEAF;
import static varve.archive.hash.MachineCode.LANES;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import varve.archive.linux.Linux;

/// The kernel of machine code: at its full speed from the first call, where the kernels in Java wait for a compiler.
///
/// There if the processor has AVX-512 and the kernel of the system lets a process run code that it made, which any process with a JVM does. It is not
/// used unless it hashes a sample as it should.
final class MachineKernel extends Kernel {
    static final String NAME = "machine-512";

    private static final MemorySegment CODE;
    private static final MemorySegment LEAVES;
    private static final MemorySegment ZEROS;
    private static final MemorySegment PARENTS;

    private static final int SAMPLE = 31 * LEAF;

    static {
        MemorySegment code = MemorySegment.NULL;
        MemorySegment leaves = code;
        MemorySegment zeros = code;
        MemorySegment parents = code;
        try {
            if (processorHasIt()) {
                MemorySegment memory = Linux.reserve(MachineCode.SIZE, Arena.global());
                MachineCode made = new MachineCode(memory.address());
                byte[] bytes = made.bytes();
                MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, 0, bytes.length);
                Linux.makeExecutable(memory);
                code = memory;
                leaves = memory.asSlice(made.leaves);
                zeros = memory.asSlice(made.zeros);
                parents = memory.asSlice(made.parents);
            }
        } catch (IOException e) {
            // no such code is allowed here: others hash
        }
        CODE = code;
        LEAVES = leaves;
        ZEROS = zeros;
        PARENTS = parents;
    }

    private final MemorySegment values = Arena.ofAuto().allocate(WIDTH * Hash.SIZE, 64);
    private MemorySegment few = MemorySegment.NULL;

    static boolean available() {
        return CODE.byteSize() > 0;
    }

    private static boolean processorHasIt() throws IOException {
        return System.getProperty("os.arch").equals("amd64")
                && Files.readString(Path.of("/proc/cpuinfo")).contains(" avx512f ");
    }

    @Override
    void leaves(MemorySegment data, int count, long index) {
        int whole = data.isNative() ? count / LANES : 0;
        if (whole > 0) {
            Linux.run(LEAVES, data, values, Linux.word(whole), Linux.word(index));
        }
        for (int at = whole * LANES; at < count; at += LANES) {
            if (few.byteSize() == 0) {
                few = Arena.ofAuto().allocate(LANES * LEAF, 64);
            }
            MemorySegment.copy(data, (long) at * LEAF, few, 0, (long) Math.min(LANES, count - at) * LEAF);
            Linux.run(LEAVES, few, values.asSlice((long) at * Hash.SIZE), Linux.word(1), Linux.word(index + at));
        }
    }

    @Override
    void zeros(int count, long index) {
        if (count > 0) {
            Linux.run(ZEROS, MemorySegment.NULL, values, Linux.word(groups(count)), Linux.word(index));
        }
    }

    @Override
    void put(int column, Hash hash) {
        hash.write(values, (long) column * Hash.SIZE);
    }

    @Override
    Hash value(int column) {
        return Hash.read(values, (long) column * Hash.SIZE);
    }

    @Override
    int reduce(int count, int span) {
        int values = count;
        for (int each = 1; each < span && values > 1; each *= 2) {
            int parents = values / 2;
            Hash last = value(values - 1);
            Linux.run(PARENTS, this.values, this.values, Linux.word(groups(parents)), Linux.word(0));
            if ((values & 1) != 0) {
                put(parents, last);
            }
            values = (values + 1) / 2;
        }
        return values;
    }

    private static int groups(int count) {
        return (count + LANES - 1) / LANES;
    }
}
