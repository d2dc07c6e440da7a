package varve.archive.retention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.testdata.Histories;

/// What policies keep, against the plainest models of what restic and Proxmox Backup Server keep.
class RetentionTest {

    private static final ZoneId UTC = ZoneOffset.UTC;
    private static final Instant LATER = Instant.parse("2100-01-01T00:00:00Z");

    static List<Long> seeds() {
        return Histories.seeds(400);
    }

    // ---- as people know it

    @Test
    void theNewestPointOfEachDayIsKept() {
        List<Moment> moments = moments("2026-11-18T02:00:00Z", "2026-11-19T02:00:00Z", "2026-11-19T14:00:00Z", "2026-11-20T02:00:00Z");
        assertEquals(Map.of(3L, List.of("daily 2026-11-19"), 4L, List.of("daily 2026-11-20")), daily(2).keep(moments, LATER));
    }

    @Test
    void daysWithoutAPointDoNotCount() {
        List<Moment> moments = moments("2020-02-29T02:00:00Z", "2024-01-01T02:00:00Z", "2026-11-20T02:00:00Z");
        assertEquals(Set.of(1L, 2L, 3L), daily(3).keep(moments, LATER).keySet());
    }

    @Test
    void aPointIsKeptForSeveralReasons() {
        Retention policy = new Retention(1, Optional.of(Span.parse("1d")), 1, 0, 0, 0, UTC);
        List<Moment> moments = moments("2026-11-19T02:00:00Z", "2026-11-20T02:00:00Z");
        assertEquals(
                Map.of(1L, List.of("within 1d", "daily 2026-11-19"), 2L, List.of("last 1", "within 1d", "daily 2026-11-20")),
                policy.keep(moments, LATER));
    }

    @Test
    void aPeriodInWhichAnEarlierOptionKeepsAPointDoesNotCount() {
        Retention policy = new Retention(2, Optional.empty(), 2, 1, 0, 0, UTC);
        List<Moment> moments = new ArrayList<>();
        for (int day = 1; day <= 20; day++) {
            moments.add(new Moment(day, Instant.parse("2026-11-%02dT02:00:00Z".formatted(day))));
        }
        // 20 and 19 are the last, 18 and 17 the days before; the week of all these began on the 16th
        assertEquals(Set.of(20L, 19L, 18L, 17L, 15L), policy.keep(moments, LATER).keySet());
    }

    @Test
    void weeksAreThoseOfIso8601() {
        Retention policy = new Retention(0, Optional.empty(), 0, 3, 0, 0, UTC);
        List<Moment> moments = moments("2020-12-27T02:00:00Z", "2020-12-31T02:00:00Z", "2021-01-03T02:00:00Z", "2021-01-04T02:00:00Z");
        assertEquals(
                Map.of(1L, List.of("weekly 2020-W52"), 3L, List.of("weekly 2020-W53"), 4L, List.of("weekly 2021-W01")),
                policy.keep(moments, LATER));
    }

    @Test
    void monthsAndYearsAreNamedAsPeopleDo() {
        Retention policy = new Retention(0, Optional.empty(), 0, 0, 1, 2, UTC);
        List<Moment> moments = moments("2025-01-01T02:00:00Z", "2025-12-31T02:00:00Z", "2026-01-01T00:00:00Z");
        assertEquals(
                Map.of(2L, List.of("yearly 2025"), 3L, List.of("monthly 2026-01", "yearly 2026")), policy.keep(moments, LATER));
    }

    @Test
    void theDayIsThatOfTheTimeZone() {
        List<Moment> moments = moments("2026-11-19T22:30:00Z", "2026-11-19T23:30:00Z");
        assertEquals(Set.of(2L), daily(2).keep(moments, LATER).keySet());
        Retention vienna = new Retention(0, Optional.empty(), 2, 0, 0, 0, ZoneId.of("Europe/Vienna"));
        assertEquals(Set.of(1L, 2L), vienna.keep(moments, LATER).keySet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "+05:45"})
    void aPointAnHourIsOneADayAlsoWhenClocksAreAdvanced(String zone) {
        ZonedDateTime start = ZonedDateTime.of(LocalDate.of(2011, 1, 1), LocalTime.MIDNIGHT, ZoneId.of(zone));
        List<Moment> moments = new ArrayList<>();
        Set<LocalDate> days = new TreeSet<>();
        for (int hour = 0; hour < 24 * 800; hour++) {
            ZonedDateTime time = start.plusHours(hour);
            moments.add(new Moment(hour + 1, time.toInstant()));
            days.add(time.toLocalDate());
        }
        Retention policy = new Retention(0, Optional.empty(), 10_000, 0, 0, 0, ZoneId.of(zone));
        assertEquals(days.size(), policy.keep(moments, LATER).size());
    }

    @Test
    void withinIsCountedBackFromTheLatestPoint() {
        Retention policy = new Retention(0, Optional.of(Span.parse("1m")), 0, 0, 0, 0, UTC);
        List<Moment> moments = moments("2026-02-27T23:59:59Z", "2026-02-28T02:00:00Z", "2026-03-15T02:00:00Z", "2026-03-31T02:00:00Z");
        assertEquals(Set.of(2L, 3L, 4L), policy.keep(moments, LATER).keySet());
    }

    @Test
    void withinCountsDaysOfTheCalendarAndTrueHours() {
        ZoneId vienna = ZoneId.of("Europe/Vienna"); // 2026-10-25 has 25 hours
        List<Moment> moments = moments("2026-10-24T22:00:00Z", "2026-10-24T23:00:00Z", "2026-10-25T23:00:00Z");
        assertEquals(3, new Retention(0, Optional.of(Span.parse("1d")), 0, 0, 0, 0, vienna).keep(moments, LATER).size());
        assertEquals(2, new Retention(0, Optional.of(Span.parse("24h")), 0, 0, 0, 0, vienna).keep(moments, LATER).size());
    }

    @Test
    void noPointsIsNothingToKeep() {
        Retention policy = new Retention(1, Optional.of(Span.parse("1d")), 1, 1, 1, 1, UTC);
        assertEquals(Map.of(), policy.keep(List.of(), LATER));
    }

    @Test
    void anEmptyPolicyIsNone() {
        assertThrows(IllegalArgumentException.class, () -> new Retention(0, Optional.empty(), 0, 0, 0, 0, UTC));
        assertThrows(IllegalArgumentException.class, () -> daily(-1));
        assertThrows(IllegalArgumentException.class, () -> daily(Retention.MAX + 1));
    }

    // ---- against models

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void withAClockThatRunsAllIsKeptThatProxmoxOrResticKeeps(long seed) {
        Random random = new Random(seed);
        Retention policy = policy(random);
        List<Moment> moments = history(random);
        Set<Long> kept = policy.keep(moments, LATER).keySet();
        assertEquals(Models.ours(policy, moments), kept, () -> seed + ": " + policy + " of " + moments);
        assertTrue(kept.containsAll(Models.proxmox(policy, moments)), () -> seed + ": " + policy + " of " + moments);
        assertTrue(kept.containsAll(Models.restic(policy, moments)), () -> seed + ": " + policy + " of " + moments);
        assertTrue(moments.isEmpty() || kept.contains(moments.getLast().number()), "the latest is kept");
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatIsKeptStaysKeptWhenTheRestIsGone(long seed) {
        Random random = new Random(seed);
        Retention policy = policy(random);
        List<Moment> moments = random.nextBoolean() ? history(random) : stepped(random, history(random), Duration.ofMinutes(1));
        Set<Long> kept = policy.keep(moments, LATER).keySet();
        List<Moment> left = moments.stream().filter(moment -> kept.contains(moment.number())).toList();
        assertEquals(kept, policy.keep(left, LATER).keySet(), () -> seed + ": " + policy + " of " + moments);
    }

    // ---- clocks that are set

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void aClockThatIsDaysOffDropsNoDayThatTheTrueOneKeeps(long seed) {
        offBy(seed, daily(1 + new Random(seed).nextInt(12)), Duration.ofDays(1));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void aClockThatIsWeeksOffDropsNoWeekThatTheTrueOneKeeps(long seed) {
        offBy(seed, new Retention(0, Optional.empty(), 0, 1 + new Random(seed).nextInt(9), 0, 0, UTC), Duration.ofDays(7));
    }

    /// the clock is set between two periods, by whole ones, to and fro; the policy is applied after each point to what it left
    private static void offBy(long seed, Retention policy, Duration step) {
        Random random = new Random(seed);
        List<Moment> truth = history(random);
        List<Moment> left = new ArrayList<>();
        long off = 0;
        long before = Long.MIN_VALUE;
        long saidBefore = Long.MIN_VALUE;
        for (int i = 0; i < truth.size(); i++) {
            Moment moment = truth.get(i);
            long period = Math.floorDiv(moment.time().getEpochSecond() + Duration.ofDays(3).toSeconds(), step.toSeconds()); // from Monday
            // a clock that makes one period of two, in the right order, deceives everybody
            while (period != before && (random.nextInt(8) == 0 || period + off == saidBefore)) {
                off = random.nextInt(61) - 30;
            }
            before = period;
            saidBefore = period + off;
            left.add(new Moment(moment.number(), moment.time().plus(step.multipliedBy(off))));
            Set<Long> kept = policy.keep(left, LATER).keySet();
            Set<Long> expected = policy.keep(truth.subList(0, i + 1), LATER).keySet();
            assertTrue(kept.containsAll(expected), () -> seed + ": " + policy + " of " + left + " keeps " + kept + ", not all of " + expected);
            left.removeIf(said -> !kept.contains(said.number()));
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void aClockThatWentBackLeavesAllWithinTheSpan(long seed) {
        Random random = new Random(seed);
        List<Moment> truth = history(random);
        Duration back = Duration.ofHours(1 + random.nextInt(24 * 30));
        int from = truth.isEmpty() ? 0 : random.nextInt(truth.size());
        List<Moment> said = new ArrayList<>(truth);
        for (int i = from; i < truth.size(); i++) {
            said.set(i, new Moment(truth.get(i).number(), truth.get(i).time().minus(back)));
        }
        Retention policy = new Retention(0, Optional.of(new Span(0, 0, 0, 1 + random.nextInt(24 * 40))), 0, 0, 0, 0, UTC);
        Set<Long> expected = policy.keep(truth, LATER).keySet();
        assertTrue(policy.keep(said, LATER).keySet().containsAll(expected), () -> seed + ": " + policy + " of " + said);
    }

    @Test
    void aClockThatFlapsOverMidnightUsesUpNoDays() {
        List<Moment> moments = moments(
                "2026-11-17T12:00:00Z", "2026-11-18T12:00:00Z", "2026-11-19T23:59:00Z", "2026-11-20T00:01:00Z", "2026-11-19T23:59:30Z",
                "2026-11-20T00:02:00Z", "2026-11-19T23:59:45Z", "2026-11-20T00:03:00Z");
        assertTrue(daily(4).keep(moments, LATER).keySet().containsAll(Set.of(1L, 2L, 3L, 8L)));
    }

    @Test
    void aPointFromTheFutureUsesUpNoDay() {
        List<Moment> moments = moments(
                "2026-11-18T01:00:00Z", "2026-11-19T01:00:00Z", "2036-11-20T01:00:00Z", "2026-11-20T02:00:00Z", "2026-11-21T01:00:00Z");
        assertTrue(daily(3).keep(moments, LATER).keySet().containsAll(Set.of(2L, 4L, 5L)));
    }

    @Test
    void aDayThatWasLivedTwiceIsTwoDays() {
        List<Moment> moments = moments("2026-11-19T01:00:00Z", "2026-11-20T01:00:00Z", "2026-11-20T00:30:00Z", "2026-11-21T01:00:00Z");
        assertEquals(Set.of(1L, 2L, 3L, 4L), daily(3).keep(moments, LATER).keySet());
    }

    @Test
    void aDeadClockAtTheLatestPointDropsNothingThatIsWithin() {
        Retention policy = new Retention(0, Optional.of(Span.parse("30d")), 0, 0, 0, 0, UTC);
        List<Moment> moments = moments("2026-10-01T02:00:00Z", "2026-11-18T02:00:00Z", "2026-11-19T02:00:00Z", "2000-01-01T00:00:10Z");
        assertEquals(Set.of(1L, 2L, 3L, 4L), policy.keep(moments, Instant.parse("2026-11-20T02:00:00Z")).keySet());
    }

    @Test
    void aDeadClockInBetweenDropsNothingThatIsWithin() {
        Retention policy = new Retention(0, Optional.of(Span.parse("5d")), 0, 0, 0, 0, UTC);
        List<Moment> moments = moments(
                "2026-11-13T02:00:00Z", "2026-11-14T02:00:00Z", "2000-01-01T00:00:10Z", "2000-01-02T00:00:10Z", "2026-11-17T02:00:00Z",
                "2026-11-20T02:00:00Z");
        assertEquals(Set.of(2L, 3L, 4L, 5L, 6L), policy.keep(moments, LATER).keySet());
    }

    @Test
    void aLatestPointFromTheFutureDropsNothingThatIsWithin() {
        Retention policy = new Retention(0, Optional.of(Span.parse("30d")), 0, 0, 0, 0, UTC);
        List<Moment> moments = moments("2026-10-01T02:00:00Z", "2026-11-18T02:00:00Z", "2026-11-19T02:00:00Z", "2036-11-20T02:00:00Z");
        assertEquals(Set.of(2L, 3L, 4L), policy.keep(moments, Instant.parse("2026-11-20T02:30:00Z")).keySet());
    }

    @Test
    void aPointFromTheFutureIsNotWithinForEver() {
        Retention policy = new Retention(0, Optional.of(Span.parse("2d")), 0, 0, 0, 0, UTC);
        List<Moment> moments = moments(
                "2026-11-10T02:00:00Z", "2036-11-11T02:00:00Z", "2026-11-12T02:00:00Z", "2026-11-18T02:00:00Z", "2026-11-19T02:00:00Z");
        assertEquals(Set.of(4L, 5L), policy.keep(moments, LATER).keySet());
    }

    // ---- spans

    @Test
    void spansReadAndWrite() {
        for (String text : List.of("30d", "12h", "1y", "2m", "1y6m14d12h", "9999y9999m9999d9999h")) {
            assertEquals(text, Span.parse(text).toString());
        }
        assertEquals("7d", Span.parse("0y07d").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0d", "d", "1", "1w", "-1d", "1d1y", "1 d", "10000d", "1.5d", "1D", "99999999999999999999y"})
    void whatIsNoSpanIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> Span.parse(text));
    }

    // ---- histories

    private static Retention daily(int days) {
        return new Retention(0, Optional.empty(), days, 0, 0, 0, UTC);
    }

    private static List<Moment> moments(String... times) {
        List<Moment> moments = new ArrayList<>();
        for (String time : times) {
            moments.add(new Moment(moments.size() + 1, Instant.parse(time)));
        }
        return moments;
    }

    private static Retention policy(Random random) {
        List<String> zones = List.of("UTC", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "-09:30");
        int[] numbers = new int[5];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = random.nextInt(3) == 0 ? 1 + random.nextInt(9) : 0;
        }
        Optional<Span> within = random.nextInt(3) == 0
                ? Optional.of(new Span(random.nextInt(2), random.nextInt(3), random.nextInt(20), 1 + random.nextInt(40)))
                : Optional.empty();
        if (random.nextInt(20) == 0 || java.util.Arrays.stream(numbers).sum() == 0) {
            numbers[0] = 1;
        }
        return new Retention(
                numbers[0], within, numbers[1], numbers[2], numbers[3], numbers[4], ZoneId.of(zones.get(random.nextInt(zones.size()))));
    }

    /// points from hours to months apart, with the numbers of some missing
    private static List<Moment> history(Random random) {
        List<Moment> moments = new ArrayList<>();
        Instant time = Instant.parse("2010-06-01T00:00:00Z").plusSeconds(random.nextInt(100_000_000));
        long number = 0;
        long pace = 600L << random.nextInt(12);
        for (int i = random.nextInt(120); i > 0; i--) {
            number += 1 + (random.nextInt(4) == 0 ? random.nextInt(5) : 0);
            moments.add(new Moment(number, time.truncatedTo(ChronoUnit.MILLIS)));
            time = time.plusSeconds(1 + random.nextLong(random.nextInt(20) == 0 ? 40 * pace : 2 * pace));
        }
        return moments;
    }

    private static List<Moment> stepped(Random random, List<Moment> truth, Duration unit) {
        List<Moment> said = new ArrayList<>();
        Duration off = Duration.ZERO;
        for (Moment moment : truth) {
            if (random.nextInt(10) == 0) {
                off = unit.multipliedBy(random.nextInt(1 << random.nextInt(20)) * (random.nextBoolean() ? 1 : -1));
            }
            said.add(new Moment(moment.number(), moment.time().plus(off)));
        }
        return said;
    }
}
