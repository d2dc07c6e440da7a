package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import varve.archive.retention.Retention;
import varve.testdata.Histories;

/// What is decided in several vaults, and becomes one where they meet.
class SettingsTest {

    private static final VolumeSettings NONE = new VolumeSettings(
            "tools", new UUID(1, 2), 0, Optional.empty(), Numbers.NONE, Numbers.NONE, Numbers.NONE, List.of());

    private static Optional<Retention> last(int number) {
        return Optional.of(new Retention(number, Optional.empty(), 0, 0, 0, 0, ZoneOffset.UTC));
    }

    @Test
    void theLaterDecisionHolds() {
        VolumeSettings home = NONE.with(last(3)).protect(2);
        VolumeSettings later = home.with(last(5)).unprotect(2).expire(List.of(1L));
        assertEquals(later, home.merge(later));
        assertEquals(later, later.merge(home));
    }

    @Test
    void whatIsProtectedApartStaysProtected() {
        VolumeSettings both = NONE.with(last(3));
        VolumeSettings home = both.protect(2);
        VolumeSettings disk = both.with(last(4)).with(last(1)).expire(List.of(1L));
        VolumeSettings merged = disk.merge(home);
        assertTrue(merged.protectedPoints().contains(2));
        assertEquals(last(1), merged.policy());
        assertEquals(merged, home.merge(disk));
        assertEquals(merged, merged.merge(home).merge(disk));
        assertFalse(merged.unprotect(2).merge(home).protectedPoints().contains(2), "until somebody says otherwise");
    }

    @Test
    void ofTwoPoliciesThatAreEquallyLateNoneHolds() {
        VolumeSettings merged = NONE.with(last(3)).merge(NONE.with(last(4)));
        assertEquals(Optional.empty(), merged.policy());
        assertEquals(merged, NONE.with(last(4)).merge(NONE.with(last(3))));
        assertEquals(last(2), merged.with(last(2)).merge(NONE.with(last(4))).policy());
    }

    @Test
    void itDoesNotMatterWhichMeetsWhich() throws Exception {
        for (long seed : Histories.seeds(200)) {
            Random random = new Random(seed);
            VolumeSettings a = some(random);
            VolumeSettings b = some(random);
            VolumeSettings merged = a.merge(b);
            assertEquals(merged, b.merge(a), () -> "seed " + seed);
            assertEquals(merged, merged.merge(a).merge(b), () -> "seed " + seed);
            assertEquals(merged, VolumeSettings.decode(merged.encode(), "settings"));
            for (long point = 1; point < 9; point++) {
                boolean forgotten = later(a, b, point) || later(b, a, point);
                boolean either = a.protectedPoints().contains(point) || b.protectedPoints().contains(point);
                assertEquals(either && !forgotten, merged.protectedPoints().contains(point));
            }
        }
    }

    private static boolean later(VolumeSettings one, VolumeSettings other, long point) {
        return one.generation() > other.generation() && one.unprotected().contains(point);
    }

    private static VolumeSettings some(Random random) {
        VolumeSettings settings = NONE.with(last(1 + random.nextInt(2)));
        for (int i = random.nextInt(6); i > 0; i--) {
            long point = 1 + random.nextInt(8);
            settings = switch (random.nextInt(4)) {
                case 0 -> settings.with(random.nextBoolean() ? last(1 + random.nextInt(2)) : Optional.empty());
                case 1 -> settings.unprotect(point);
                case 2 -> settings.expire(List.of(point));
                default -> settings.protect(point);
            };
        }
        return settings;
    }

    @Test
    void numbersAreJoinedAndTakenAwayAsSets() {
        for (long seed : Histories.seeds(200)) {
            Random random = new Random(seed);
            TreeSet<Long> a = set(random);
            TreeSet<Long> b = set(random);
            TreeSet<Long> joined = new TreeSet<>(a);
            joined.addAll(b);
            assertEquals(numbers(joined), numbers(a).with(numbers(b)), () -> a + " and " + b);
            TreeSet<Long> left = new TreeSet<>(a);
            left.removeAll(b);
            assertEquals(numbers(left), numbers(a).without(numbers(b)), () -> a + " without " + b);
        }
    }

    private static TreeSet<Long> set(Random random) {
        return LongStream.range(1, 20).filter(number -> random.nextBoolean()).boxed().collect(Collectors.toCollection(TreeSet::new));
    }

    private static Numbers numbers(TreeSet<Long> set) {
        Numbers numbers = Numbers.NONE;
        for (long number : set) {
            numbers = numbers.with(number);
        }
        assertEquals(numbers, Numbers.parse(numbers.toString()));
        return numbers;
    }
}
