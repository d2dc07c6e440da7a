package varve.archive.hash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is not a matter of the kernel; the hashes themselves are [KernelContract]'s.
class SubtreeHasherTest {
    private final SubtreeHasher hasher = new SubtreeHasher();

    @ParameterizedTest
    @CsvSource({"0, 0", "1024, 1", "1024, 512", "1025, 1024", "2048, 1024", "262143, 131072", "1, -1024"})
    void whatIsNoSubtreeIsRefused(int size, long offset) {
        MemorySegment data = MemorySegment.ofArray(new byte[size]);
        assertThrows(IllegalArgumentException.class, () -> hasher.subtree(data, offset));
        assertThrows(IllegalArgumentException.class, () -> hasher.zeros(offset, data.byteSize()));
    }

    @Test
    void aValueDependsOnTheOffset() {
        MemorySegment data = MemorySegment.ofArray(new byte[3000]);
        assertNotEquals(hasher.subtree(data, 0), hasher.subtree(data, 4096));
        assertNotEquals(hasher.zeros(0, 3000), hasher.zeros(4096, 3000));
        assertNotEquals(hasher.zeros(0, 3000), hasher.zeros(4096L << 32, 3000));
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "4096, 4096", "16384, 16384", "16385, 0", "65536, 131072", "65537, 0", "262144, 262144", "400000, 524288", "524288, 0", "1048576, 4194304"})
    void valuesOfGroupsAreThoseOfEachAlone(int size, long offset) {
        MemorySegment data = MemorySegment.ofArray(Oracle.vectorInput(size));
        int groups = (size + SubtreeHasher.GROUP - 1) / SubtreeHasher.GROUP;
        MemorySegment values = MemorySegment.ofArray(new byte[groups * Hash.SIZE]);
        assertEquals(hasher.subtree(data, offset), hasher.subtree(data, offset, values));
        for (int group = 0; group < groups; group++) {
            long at = (long) group * SubtreeHasher.GROUP;
            MemorySegment alone = data.asSlice(at, Math.min(SubtreeHasher.GROUP, size - at));
            assertEquals(hasher.subtree(alone, offset + at), Hash.read(values, (long) group * Hash.SIZE), "group " + group);
        }
    }

    @Test
    void aRootIsNotAValue() {
        for (int size : new int[] {1, 1000, 1024, 1025, 4096}) {
            MemorySegment data = MemorySegment.ofArray(new byte[size]);
            assertNotEquals(hasher.whole(data), hasher.subtree(data, 0));
        }
    }

    @Test
    void everyBitCounts() {
        byte[] data = Oracle.vectorInput(40_000);
        Hash before = hasher.whole(MemorySegment.ofArray(data));
        for (int i = 0; i < data.length; i += 97) {
            data[i] ^= (byte) (1 << i % 8);
            assertNotEquals(before, hasher.whole(MemorySegment.ofArray(data)), "byte " + i);
            data[i] ^= (byte) (1 << i % 8);
        }
        assertEquals(before, hasher.whole(MemorySegment.ofArray(data)));
    }
}
