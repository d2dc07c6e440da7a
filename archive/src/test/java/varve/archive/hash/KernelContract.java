package varve.archive.hash;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;

/// What every kernel has to do, as a program, since a process has just one vector kernel. Prints the name of the kernel
/// and a hash of all hashes that it found; the first wrong one ends it.
final class KernelContract {
    private static final int SMALL = 300 * 1024;

    private final SubtreeHasher hasher = new SubtreeHasher();
    private final GroupedHash all = new GroupedHash(20, _ -> {});
    private final Random random;

    private KernelContract(long seed) {
        random = new Random(seed);
    }

    public static void main(String[] arguments) {
        KernelContract contract = new KernelContract(Long.parseLong(arguments[0]));
        contract.vectors();
        contract.sizes();
        contract.largeSizes();
        contract.memoryOfAllKinds();
        contract.zeros();
        for (int i = 0; i < 40; i++) {
            contract.mergedDevice();
        }
        System.out.println(Hashing.kernel() + " " + contract.all.root());
    }

    private void expect(Hash expected, Hash found, String what) {
        if (!found.equals(expected)) {
            throw new AssertionError(what + ": expected " + expected + ", found " + found);
        }
        all.update(MemorySegment.ofArray(found.bytes()));
    }

    private byte[] randomBytes(int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    private void vectors() {
        Map<Integer, Hash> vectors = Oracle.vectors();
        if (vectors.size() != 35) {
            throw new AssertionError("35 test vectors expected, found " + vectors.size());
        }
        vectors.forEach((size, hash) -> expect(
                hash, hasher.whole(MemorySegment.ofArray(Oracle.vectorInput(size))), "vector of " + size + " bytes"));
    }

    /// All sizes up to some leaves; then around all boundaries of leaves, and of blocks here and there.
    private void sizes() {
        SortedSet<Integer> sizes = new TreeSet<>();
        for (int size = 0; size <= 4200; size++) {
            sizes.add(size);
        }
        for (int leaf = 0; leaf <= SMALL; leaf += 1024) {
            int block = leaf + 64 * random.nextInt(16);
            for (int d = -1; d <= 1; d++) {
                sizes.add(Math.clamp(leaf + d, 0, SMALL));
                sizes.add(Math.clamp(block + d, 0, SMALL));
            }
        }
        byte[] data = randomBytes(SMALL);
        Map<Integer, Hash> expected = Oracle.bouncyCastle(data, sizes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(SMALL).copyFrom(MemorySegment.ofArray(data));
            expected.forEach((size, hash) -> expect(hash, hasher.whole(memory.asSlice(0, size)), size + " bytes"));
        }
    }

    private void largeSizes() {
        for (int i = 0; i < 4; i++) {
            byte[] data = randomBytes(1 + random.nextInt(1 << 21 + i % 2));
            MemorySegment memory = MemorySegment.ofArray(data);
            expect(Oracle.bouncyCastle(memory), hasher.whole(memory), data.length + " bytes");
            groups(memory);
        }
    }

    private void groups(MemorySegment data) {
        MemorySegment values = MemorySegment.ofArray(new byte[(int) (data.byteSize() / SubtreeHasher.GROUP + 1) * Hash.SIZE]);
        expect(hasher.subtree(data, 1L << 40), hasher.subtree(data, 1L << 40, values), "with groups");
        for (long at = 0; at < data.byteSize(); at += SubtreeHasher.GROUP) {
            MemorySegment group = data.asSlice(at, Math.min(SubtreeHasher.GROUP, data.byteSize() - at));
            expect(hasher.subtree(group, (1L << 40) + at), Hash.read(values, at / SubtreeHasher.GROUP * Hash.SIZE), "a group at " + at);
        }
    }

    private void memoryOfAllKinds() {
        byte[] data = randomBytes(70_001);
        Hash expected = Oracle.bouncyCastle(MemorySegment.ofArray(data));
        List<Arena> arenas = List.of(Arena.ofConfined(), Arena.ofShared(), Arena.ofAuto(), Arena.global());
        for (Arena arena : arenas) {
            for (int shift = 0; shift < 3; shift++) {
                MemorySegment memory = arena.allocate(data.length + shift, 64).asSlice(shift);
                expect(expected, hasher.whole(memory.copyFrom(MemorySegment.ofArray(data))), "off-heap memory");
                expect(expected, hasher.whole(memory.asReadOnly()), "read-only memory");
            }
        }
        arenas.subList(0, 2).forEach(Arena::close);
        long[] words = new long[10_000];
        Arrays.setAll(words, i -> random.nextLong());
        MemorySegment longs = MemorySegment.ofArray(words).asSlice(1, 79_992);
        expect(Oracle.bouncyCastle(longs), hasher.whole(longs), "an array of long");
    }

    private void zeros() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zeros = arena.allocate(1 << 20);
            for (int i = 0; i < 60; i++) {
                long size = 1 + random.nextLong(i < 30 ? 1 << 15 : 1 << 20);
                long offset = random.nextLong(1L << 20) << 20 + random.nextInt(10);
                expect(hasher.subtree(zeros.asSlice(0, size), offset), hasher.zeros(offset, size), size + " zeros");
            }
        }
        Hash quarter = hasher.zeros(3L << 26, 1 << 24);
        TreeMerge merge = new TreeMerge();
        merge.add(quarter, 1 << 24);
        for (int i = 1; i < 4; i++) {
            merge.add(hasher.zeros((3L << 26) + ((long) i << 24), 1 << 24), 1 << 24);
        }
        expect(merge.value(), hasher.zeros(3L << 26, 1 << 26), "64 MiB of zeros");
    }

    /// A device of chunks and, among them, zero subtrees of any size.
    private void mergedDevice() {
        int chunk = 1 << 10 + random.nextInt(9);
        int size = chunk + 1 + random.nextInt(Math.min(40 * chunk, 1 << 20));
        byte[] device = randomBytes(size);
        List<long[]> subtrees = new ArrayList<>();
        for (int at = 0; at < size; ) {
            int largest = at == 0 ? Integer.highestOneBit(size - 1) : Math.min(Integer.lowestOneBit(at), 1 << 30);
            int span = chunk;
            boolean zero = random.nextInt(3) == 0;
            while (zero && 2L * span <= largest && random.nextBoolean()) {
                span *= 2;
            }
            int length = Math.min(span, size - at);
            if (zero) {
                Arrays.fill(device, at, at + length, (byte) 0);
            }
            subtrees.add(new long[] {at, length, zero ? 1 : 0});
            at += length;
        }
        MemorySegment memory = MemorySegment.ofArray(device);
        TreeMerge merge = new TreeMerge();
        for (long[] subtree : subtrees) {
            Hash value = subtree[2] != 0
                    ? hasher.zeros(subtree[0], subtree[1])
                    : hasher.subtree(memory.asSlice(subtree[0], subtree[1]), subtree[0]);
            merge.add(value, subtree[1]);
        }
        expect(Oracle.bouncyCastle(memory), merge.root(), size + " bytes in chunks of " + chunk);
    }
}
