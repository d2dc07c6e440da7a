package varve.archive.format;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.testdata.Histories;

/// Times in names of archives, against the formatter of the JDK.
final class NameTimeTest {

    private static final DateTimeFormatter EXPECTED = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    static Stream<Long> seeds() {
        return Histories.seeds(1).stream();
    }

    private static void assertSame(Instant time) {
        assertEquals(EXPECTED.format(time), Manifest.nameTime(time));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void timesOfAllYearsHaveTheirForm(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            assertSame(Instant.ofEpochMilli(random.nextLong(-70_000_000_000_000L, 400_000_000_000_000L)));
        }
    }

    @Test
    void timesAtTheEdgesHaveTheirForm() {
        for (String time : new String[] {"2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z", "1000-01-01T00:00:00Z", "0999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z",
            "+10000-01-01T00:00:00Z", "-0001-02-03T04:05:06.007Z", "1969-12-31T23:59:59.001Z"}) {
            assertSame(Instant.parse(time));
        }
    }
}
