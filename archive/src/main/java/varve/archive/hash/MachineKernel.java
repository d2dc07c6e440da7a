package varve.archive.hash;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static varve.archive.hash.Compression.LEAF;
import static varve.archive.linux.Linux.word;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import varve.archive.linux.Linux;

/// The kernel of machine code, which is fast from the first call on: those in Java have to wait for a compiler.
///
/// # Why
///
/// Hashing is all that a run computes much of in Java; the rest is done by the system, and by `zstd`. With this kernel a run needs neither the vector module,
/// with which a JVM starts slowly, nor the compiler that optimises, whose work is half of what a run of a few seconds costs.
///
/// It is there if the processor has AVX-512 or AVX2, if the system lets a process run code that it has made, as it does every JVM, and if a first
/// sample hashes as it should.
final class MachineKernel extends Kernel {

    /// The functions of [MachineCode].
    private record Functions(int lanes, MemorySegment leaves, MemorySegment zeros, MemorySegment parents) {}

    private static final Optional<Functions> FUNCTIONS = load();

    /// `machine-` and the width of a vector in bits
    static final String NAME = "machine-" + FUNCTIONS.map(functions -> functions.lanes * Integer.SIZE).orElse(0);

    /// one of BLAKE3's test vectors: so many bytes `i % 251`
    private static final int SAMPLE = 31 * LEAF;
    private static final Hash EXPECTED =
            new Hash(0xc1bc441a_0e96b662L, 0xb635628d_1a611aebL, 0xfbc4abe7_328fb7b4L, 0x475c8994_cedc6c4cL);

    private final Functions functions = FUNCTIONS.orElseThrow();
    private final int lanes = functions.lanes;
    private final MemorySegment values = Arena.ofAuto().allocate(WIDTH * Hash.SIZE, 64);
    private MemorySegment few = MemorySegment.NULL;

    private static Optional<Functions> load() {
        try {
            if (!System.getProperty("os.arch").equals("amd64")) {
                return Optional.empty();
            }
            String processor = Files.readString(Path.of("/proc/cpuinfo"));
            boolean wide = processor.contains(" avx512f ") && !Hashing.CHOICE.equals("machine-256");
            if (!wide && !processor.contains(" avx2 ")) {
                return Optional.empty();
            }
            MemorySegment memory = Linux.reserve(MachineCode.SIZE, Arena.global());
            MachineCode code = wide ? new Avx512Code(memory.address()) : new Avx2Code(memory.address());
            byte[] bytes = code.make();
            memory.asSlice(0, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
            Linux.makeExecutable(memory);
            return Optional.of(new Functions(
                    code.lanes, memory.asSlice(code.leaves()), memory.asSlice(code.zeros()), memory.asSlice(code.parents())));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// {@return whether there is one, and it is right}
    static boolean available() {
        return FUNCTIONS.isPresent() && isRight(new SubtreeHasher(new MachineKernel()));
    }

    private static boolean isRight(SubtreeHasher hasher) {
        MemorySegment sample = Arena.ofAuto().allocate(SAMPLE);
        Hash zeros = hasher.subtree(sample, 0);
        for (int i = 0; i < SAMPLE; i++) {
            sample.set(JAVA_BYTE, i, (byte) (i % 251));
        }
        return hasher.zeros(0, SAMPLE).equals(zeros) && hasher.whole(sample).equals(EXPECTED);
    }

    @Override
    void leaves(MemorySegment data, int count, long index) {
        int groups = data.isNative() ? count / lanes : 0;
        if (groups > 0) {
            Linux.run(functions.leaves, data, values, word(groups), word(index));
        }
        for (int at = groups * lanes; at < count; at += lanes) {
            if (few.byteSize() == 0) {
                few = Arena.ofAuto().allocate(lanes * LEAF, 64);
            }
            MemorySegment.copy(data, (long) at * LEAF, few, 0, (long) Math.min(lanes, count - at) * LEAF);
            Linux.run(functions.leaves, few, values.asSlice((long) at * Hash.SIZE), word(1), word(index + at));
        }
    }

    @Override
    void zeros(int count, long index) {
        if (count > 0) {
            Linux.run(functions.zeros, MemorySegment.NULL, values, word(groups(count)), word(index));
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
        int left = count;
        for (int each = 1; each < span && left > 1; ) {
            int parents = left / 2;
            int levels = levels(left, span / each);
            if (left % 2 == 0) {
                parents(parents, levels);
            } else {
                Hash last = value(left - 1);
                parents(parents, 1);
                put(parents, last);
            }
            each <<= levels;
            left = (left + (1 << levels) - 1) >> levels;
        }
        return left;
    }

    /// {@return how many levels there are of which each has twice as many values as the next one}
    private static int levels(int values, int span) {
        return Math.max(1, Integer.numberOfTrailingZeros(values | span));
    }

    private void parents(int count, int levels) {
        Linux.run(functions.parents, values, word(groups(count)), word(levels));
    }

    private int groups(int count) {
        return (count + lanes - 1) / lanes;
    }
}
