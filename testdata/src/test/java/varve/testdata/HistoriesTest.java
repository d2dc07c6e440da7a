package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class HistoriesTest {
    private static final int CHUNK = 65536;
    private static final int LARGEST = 12 * CHUNK;

    @Test
    void historyIsTheSameForTheSameSeed() {
        History first = Histories.random(5, 9, CHUNK, LARGEST);
        History second = Histories.random(5, 9, CHUNK, LARGEST);
        assertEquals(first.toString(), second.toString());
        for (int i = 0; i < 9; i++) {
            assertArrayEquals(first.points().get(i).image(), second.points().get(i).image());
        }
        assertTrue(first.toString().startsWith("seed 5: a device ("), first::toString);
    }

    @Test
    void allKindsOfChangesAndSizesOccur() {
        Set<String> changes = new HashSet<>();
        Set<Boolean> empty = new HashSet<>();
        for (long seed = 0; seed < 60; seed++) {
            for (History.Point point : Histories.random(seed, 8, CHUNK, LARGEST).points()) {
                changes.add(point.change().replaceAll("\\d+", "n"));
                empty.add(point.image().length == 0);
                assertTrue(point.image().length <= LARGEST);
            }
        }
        assertEquals(Set.of("a device", "no change", "back to the first", "growth", "shrinkage", "one bit at n", "n writes"),
                changes.stream().collect(Collectors.toSet()));
        assertEquals(Set.of(true, false), empty);
    }

    @Test
    void pointsAreNotChangedByLaterOnes() {
        History history = Histories.random(6, 20, CHUNK, LARGEST);
        for (int i = 1; i < history.points().size(); i++) {
            History.Point point = history.points().get(i);
            if (point.change().startsWith("one bit")) {
                byte[] before = history.points().get(i - 1).image();
                assertEquals(before.length, point.image().length);
                assertTrue(Arrays.mismatch(before, point.image()) >= 0);
            }
        }
    }
}
