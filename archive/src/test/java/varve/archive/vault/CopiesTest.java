package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.vault.Edges.edge;
import static varve.archive.vault.Edges.state;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;

class CopiesTest {

    private static final UUID A = new UUID(0, 1);
    private static final UUID B = new UUID(0, 2);
    private static final UUID C = new UUID(0, 3);

    private final StoredArchive full = edge(0, 1, 100, 1);
    private final StoredArchive delta = edge(1, 2, 10, 2);
    private final StoredArchive again = edge(0, 2, 100, 3);

    private static Copies copies(List<StoredArchive> archives, Map<StoredArchive, Set<UUID>> holders) {
        Map<Inventory.DataFile, Set<UUID>> byFile = new HashMap<>();
        holders.forEach((archive, vaults) -> byFile.put(Inventory.DataFile.of(archive), vaults));
        return new Copies(archives, byFile);
    }

    @Test
    void aPointHasAsManyCopiesAsTheArchiveOnItsPathThatHasTheFewest() {
        Copies copies = copies(List.of(full, delta), Map.of(full, Set.of(A, B, C), delta, Set.of(A, B)));
        assertEquals(3, copies.of(state(1)));
        assertEquals(2, copies.of(state(2)));
        assertEquals(0, copies.of(state(3)));
    }

    @Test
    void archivesOfOnePathMayLieInSeveralVaults() {
        assertEquals(1, copies(List.of(full, delta), Map.of(full, Set.of(A), delta, Set.of(B))).of(state(2)));
    }

    @Test
    void vaultsThatCanRestoreItEachInItsOwnWayAreCopies() {
        Copies copies = copies(List.of(full, delta, again), Map.of(full, Set.of(A), delta, Set.of(A), again, Set.of(B)));
        assertEquals(2, copies.of(state(2)));
        assertEquals(1, copies.of(state(1)));
    }

    @Test
    void aPointWithoutChangesNeedsNoFileOfItsOwn() {
        StoredArchive unchanged = edge(1, 1, 5, 4);
        assertEquals(2, copies(List.of(full, unchanged), Map.of(full, Set.of(A, B))).of(state(1)));
    }

    @Test
    void whatIsGoneWithAVaultIsNoCopy() {
        Copies copies = copies(List.of(full, delta), Map.of(full, Set.of(A, B), delta, Set.of(A, B)));
        assertEquals(1, copies.without(A).of(state(2)));
        assertEquals(0, copies.without(A).without(B).of(state(2)));
        assertEquals(1, copies.without(A, List.of(delta)).of(state(2)));
        assertEquals(2, copies.without(A, List.of(delta)).of(state(1)));
    }

    @Test
    void removingWhatOthersDoNotHoldEndangersAllThatStandsOnIt() {
        Copies copies = copies(List.of(full, delta), Map.of(full, Set.of(A), delta, Set.of(A, B)));
        Set<State> all = Set.of(state(1), state(2));
        assertEquals(all, copies.endangered(A, List.of(full), all, 1));
        assertEquals(Set.of(), copies.endangered(A, List.of(delta), all, 1));
        assertEquals(Set.of(state(2)), copies.endangered(A, List.of(delta), all, 2));
        assertEquals(Set.of(state(2)), copies.endangered(A, List.of(full), Set.of(state(2)), 1));
    }

    /// `n` copies: any n - 1 vaults may burn.
    @Test
    void soManyVaultsMayBurn() {
        long seed = Long.getLong("varve.test.seed", System.nanoTime());
        System.out.println("CopiesTest: -Dvarve.test.seed=" + seed);
        Random random = new Random(seed);
        int exact = 0;
        int all = 0;
        for (int round = 0; round < 400; round++) {
            int states = 2 + random.nextInt(8);
            List<StoredArchive> archives = Edges.random(random, states);
            int vaults = 1 + random.nextInt(4);
            Map<StoredArchive, Set<UUID>> holders = new HashMap<>();
            for (StoredArchive archive : archives) {
                Set<UUID> some = new HashSet<>();
                for (int vault = 0; vault < vaults; vault++) {
                    if (random.nextInt(3) > 0) {
                        some.add(new UUID(0, vault));
                    }
                }
                holders.put(archive, some);
            }
            Copies copies = copies(archives, holders);
            for (int number = 1; number <= states; number++) {
                int claimed = copies.of(state(number));
                int least = survivable(archives, holders, vaults, state(number));
                assertTrue(claimed <= least, () -> "claims " + claimed + " copies, but there are " + least);
                assertEquals(claimed == 0, least == 0);
                all++;
                exact += claimed == least ? 1 : 0;
            }
        }
        int found = exact;
        int of = all;
        assertTrue(exact > all * 0.9, () -> "only " + found + " of " + of + " are exact");
    }

    /// the true number: the smallest number of vaults whose loss loses the point
    private static int survivable(List<StoredArchive> archives, Map<StoredArchive, Set<UUID>> holders, int vaults, State state) {
        int least = vaults;
        for (int lost = 0; lost < 1 << vaults; lost++) {
            int burnt = lost;
            boolean left = Edges.reached(archives, archive -> holders.get(archive).stream()
                    .anyMatch(vault -> (burnt >> vault.getLeastSignificantBits() & 1) == 0)).contains(state);
            least = left ? least : Math.min(least, Integer.bitCount(lost));
        }
        return least;
    }

    @Test
    void whatEndangersNothingLosesNothing() {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            List<StoredArchive> archives = Edges.random(random, 6);
            Map<StoredArchive, Set<UUID>> holders = new HashMap<>();
            archives.forEach(archive -> holders.put(archive, random.nextBoolean() ? Set.of(A, B) : Set.of(A)));
            Copies copies = copies(archives, holders);
            List<StoredArchive> removed = archives.stream().filter(archive -> random.nextInt(3) == 0).toList();
            Set<State> kept = new HashSet<>(Arrays.asList(state(2), state(5)));
            boolean danger = !copies.endangered(A, removed, kept, 1).isEmpty();
            Set<State> left = Edges.reached(archives, archive -> holders.get(archive).contains(B) || !removed.contains(archive));
            if (!danger) {
                assertTrue(left.containsAll(kept));
            } else {
                assertFalse(left.containsAll(kept) && copies.without(A, removed).of(state(2)) > 0 && copies.without(A, removed).of(state(5)) > 0);
            }
        }
    }
}
