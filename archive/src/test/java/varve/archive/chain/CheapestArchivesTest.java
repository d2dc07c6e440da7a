package varve.archive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static varve.archive.vault.Edges.edge;
import static varve.archive.vault.Edges.state;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;
import varve.archive.vault.Edges;

class CheapestArchivesTest {

    private static long size(List<StoredArchive> archives) {
        return archives.stream().mapToLong(archive -> archive.manifest().file().size()).sum();
    }

    private static List<StoredArchive> bring(List<StoredArchive> there, List<StoredArchive> toBring, State... wanted) {
        List<StoredArchive> all = new ArrayList<>(there);
        all.addAll(toBring);
        return CheapestArchives.of(all, archive -> there.contains(archive) ? 0 : archive.manifest().file().size(), List.of(wanted)).stream()
                .filter(toBring::contains)
                .toList();
    }

    @Test
    void oneDeltaIsCheaperThanAllOfThoseThatItReplaces() {
        StoredArchive full = edge(0, 1, 100, 1);
        StoredArchive monday = edge(1, 2, 10, 2);
        StoredArchive tuesday = edge(2, 3, 10, 3);
        StoredArchive both = edge(1, 3, 15, 4);
        assertEquals(List.of(full, both), bring(List.of(), List.of(full, monday, tuesday, both), state(3)));
        assertEquals(List.of(full, monday, tuesday), bring(List.of(), List.of(full, monday, tuesday, both), state(2), state(3)));
        assertEquals(List.of(tuesday), bring(List.of(full, monday), List.of(tuesday, both), state(3)));
    }

    @Test
    void twoFullsAreNotBroughtWhereADeltaWillDo() {
        StoredArchive first = edge(0, 1, 100, 1);
        StoredArchive second = edge(0, 2, 99, 2); // the nearest, but not on the best tree
        StoredArchive delta = edge(1, 2, 1, 3);
        assertEquals(List.of(first, delta), bring(List.of(), List.of(first, second, delta), state(1), state(2)));
    }

    @Test
    void waysInACircleAreNoTrap() {
        StoredArchive forth = edge(1, 2, 1, 1);
        StoredArchive back = edge(2, 1, 1, 2);
        StoredArchive one = edge(0, 1, 50, 3);
        StoredArchive two = edge(0, 2, 40, 4);
        assertEquals(List.of(two, back), bring(List.of(), List.of(forth, back, one, two), state(1), state(2)));
    }

    @Test
    void whatNothingLeadsToIsPassedOver() {
        assertEquals(List.of(), bring(List.of(), List.of(edge(1, 2, 1, 1)), state(2), state(9)));
    }

    @Test
    void ofAllWaysToAllStatesTheCheapestIsFound() {
        compare(new Random(seed()), true);
    }

    @Test
    void ofWaysToSomeStatesAlmostTheCheapestIsFound() {
        compare(new Random(seed()), false);
    }

    private static long seed() {
        long seed = Long.getLong("varve.test.seed", System.nanoTime());
        System.out.println("CheapestArchivesTest: -Dvarve.test.seed=" + seed);
        return seed;
    }

    private static void compare(Random random, boolean all) {
        long found = 0;
        long best = 0;
        for (int round = 0; round < 300; round++) {
            int states = 2 + random.nextInt(4);
            List<StoredArchive> archives = Edges.random(random, states);
            if (archives.size() > 13) {
                continue;
            }
            List<StoredArchive> there = archives.stream().filter(archive -> random.nextInt(4) == 0).toList();
            List<State> wanted = IntStream.rangeClosed(1, states).filter(n -> all || random.nextInt(3) == 0).mapToObj(Edges::state).toList();
            List<StoredArchive> toBring = archives.stream().filter(archive -> !there.contains(archive)).toList();
            List<StoredArchive> brought = bring(there, toBring, wanted.toArray(State[]::new));
            Set<StoredArchive> usable = new HashSet<>(there);
            usable.addAll(brought);
            assertTrue(Edges.reached(archives, usable::contains).containsAll(wanted));
            long least = least(archives, there, toBring, wanted);
            assertTrue(size(brought) >= least);
            if (all) {
                assertEquals(least, size(brought), () -> "seed: " + archives);
            }
            found += size(brought);
            best += least;
        }
        assertTrue(found <= best * 1.05, found + " bytes, " + best + " would do");
    }

    /// the plain way: all sets
    private static long least(List<StoredArchive> archives, List<StoredArchive> there, List<StoredArchive> toBring, List<State> wanted) {
        long least = Long.MAX_VALUE;
        for (int set = 0; set < 1 << toBring.size(); set++) {
            List<StoredArchive> some = new ArrayList<>();
            for (int i = 0; i < toBring.size(); i++) {
                if ((set >> i & 1) == 1) {
                    some.add(toBring.get(i));
                }
            }
            long size = size(some);
            if (size < least) {
                Set<StoredArchive> usable = new HashSet<>(there);
                usable.addAll(some);
                least = Edges.reached(archives, usable::contains).containsAll(wanted) ? size : least;
            }
        }
        return least;
    }
}
