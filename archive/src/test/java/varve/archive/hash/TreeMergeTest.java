package varve.archive.hash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreeMergeTest {
    private static final Hash ANY = new Hash(1, 2, 3, 4);

    private final SubtreeHasher hasher = new SubtreeHasher();
    private final TreeMerge merge = new TreeMerge();

    @ParameterizedTest
    @ValueSource(ints = {1025, 2048, 3000, 4096, 5000, 7168, 8192, 100_000})
    void leavesMergeToTheRoot(int size) {
        MemorySegment data = MemorySegment.ofArray(Oracle.vectorInput(size));
        for (int at = 0; at < size; at += 1024) {
            int part = Math.min(1024, size - at);
            merge.add(hasher.subtree(data.asSlice(at, part), at), part);
        }
        assertEquals(size, merge.size());
        assertEquals(Oracle.bouncyCastle(data), merge.root());
        assertEquals(Oracle.bouncyCastle(data), merge.root(), "asked again");
    }

    @Test
    void aRootOnTheWayDoesNotDisturb() {
        MemorySegment data = MemorySegment.ofArray(Oracle.vectorInput(64 * 1024));
        for (int at = 0; at < data.byteSize(); at += 4096) {
            merge.add(hasher.subtree(data.asSlice(at, 4096), at), 4096);
            if (at > 0) {
                assertEquals(Oracle.bouncyCastle(data.asSlice(0, at + 4096)), merge.root());
            }
        }
    }

    @Test
    void theRootOfOneSubtreeIsUnknown() {
        assertThrows(IllegalStateException.class, merge::root);
        assertThrows(IllegalStateException.class, merge::value);
        merge.add(ANY, 4096);
        assertEquals(ANY, merge.value());
        assertThrows(IllegalStateException.class, merge::root);
    }

    @Test
    void nothingComesAfterACutSubtree() {
        merge.add(ANY, 4096);
        merge.add(ANY, 4095);
        assertThrows(IllegalStateException.class, () -> merge.add(ANY, 1024));
    }

    @Test
    void nothingComesAfterLessThanALeaf() {
        merge.add(ANY, 4096);
        merge.add(ANY, 512);
        assertThrows(IllegalStateException.class, () -> merge.add(ANY, 512));
    }

    @Test
    void whatIsNotAlignedIsRefused() {
        merge.add(ANY, 4096);
        assertThrows(IllegalArgumentException.class, () -> merge.add(ANY, 8192));
        assertThrows(IllegalArgumentException.class, () -> merge.add(ANY, 4097));
        assertThrows(IllegalArgumentException.class, () -> merge.add(ANY, 0));
        assertThrows(IllegalArgumentException.class, () -> merge.add(ANY, -1024));
        merge.add(ANY, 4096);
        merge.add(ANY, 8192);
        assertEquals(16384, merge.size());
    }

    @Test
    void aPebibyteIsNotTooMuch() {
        for (int i = 0; i < 100_000; i++) {
            merge.add(ANY, 1L << 33);
        }
        assertEquals(100_000L << 33, merge.size());
        assertNotEquals(ANY, merge.root());
    }
}
