package varve.mounthelper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.mounthelper.Stretches.Stretch;
import varve.testdata.Histories;

/// Every chunk is handed out once, and who is waited for comes next.
final class StretchesTest {

    static List<Long> seeds() {
        return Histories.seeds(20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyChunkIsHandedOutOnceWhateverIsPreferred(long seed) {
        Random random = new Random(seed);
        int chunks = 1 + random.nextInt(20_000);
        int chunkLog = 16 + random.nextInt(9);
        Stretches stretches = new Stretches(chunks, chunkLog, 1 + random.nextInt(4), Stretches.SHORTEST << random.nextInt(5));
        BitSet seen = new BitSet();
        while (true) {
            int wanted = random.nextInt(chunks);
            boolean prefers = random.nextInt(3) == 0;
            if (prefers) {
                stretches.prefer(wanted);
            }
            Stretch stretch = stretches.next();
            if (stretch == null) {
                break;
            }
            assertTrue(stretch.first() < stretch.end() && stretch.end() <= chunks, "seed " + seed);
            int again = seen.nextSetBit((int) stretch.first());
            assertFalse(again >= 0 && again < stretch.end(), "seed " + seed + ": " + again + " twice");
            boolean before = seen.get(wanted);
            seen.set((int) stretch.first(), (int) stretch.end());
            if (prefers && !before && stretch.first() > wanted) {
                assertTrue(seen.get(wanted), "seed " + seed + ": " + wanted + " is not next");
            }
        }
        assertEquals(chunks, seen.cardinality(), "seed " + seed);
    }
}
