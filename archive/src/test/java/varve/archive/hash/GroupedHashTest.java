package varve.archive.hash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GroupedHashTest {
    private static final int LOG2 = 14;
    private static final int GROUP = 1 << LOG2;

    private final SubtreeHasher hasher = new SubtreeHasher();

    @Test
    void rootAndGroupsDoNotDependOnThePieces() {
        long seed = Long.getLong("varve.test.seed", new Random().nextLong());
        System.out.println("GroupedHashTest: -Dvarve.test.seed=" + seed);
        Random random = new Random(seed);
        List<Integer> sizes = new ArrayList<>(List.of(0, 1, 1024, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 5 * GROUP));
        for (int i = 0; i < 100; i++) {
            sizes.add(random.nextInt(10 * GROUP));
        }
        for (int size : sizes) {
            byte[] bytes = new byte[size];
            random.nextBytes(bytes);
            MemorySegment data = MemorySegment.ofArray(bytes);
            List<Hash> groups = new ArrayList<>();
            GroupedHash hash = new GroupedHash(LOG2, groups::add);
            int largest = 1 + random.nextInt(4 * GROUP);
            for (int at = 0; at < size; ) {
                int piece = Math.min(random.nextInt(largest + 1), size - at);
                hash.update(data.asSlice(at, piece));
                at += piece;
                assertEquals(at, hash.size());
            }
            assertEquals(Oracle.bouncyCastle(data), hash.root(), size + " bytes");
            assertEquals(groups(data), groups, size + " bytes");
        }
    }

    private List<Hash> groups(MemorySegment data) {
        if (data.byteSize() <= GROUP) {
            return List.of(hasher.whole(data));
        }
        List<Hash> groups = new ArrayList<>();
        for (long at = 0; at < data.byteSize(); at += GROUP) {
            groups.add(hasher.subtree(data.asSlice(at, Math.min(GROUP, data.byteSize() - at)), at));
        }
        return groups;
    }

    @Test
    void itEndsWithTheRoot() {
        GroupedHash hash = new GroupedHash(LOG2, _ -> {});
        hash.root();
        assertThrows(IllegalStateException.class, hash::root);
        assertThrows(IllegalStateException.class, () -> hash.update(MemorySegment.ofArray(new byte[1])));
    }

    @Test
    void groupsAreWholeLeaves() {
        assertThrows(IllegalArgumentException.class, () -> new GroupedHash(9, _ -> {}));
    }
}
