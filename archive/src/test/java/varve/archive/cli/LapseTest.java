package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LapseTest {

    @Test
    void unitsAreAlwaysAsLong() {
        assertEquals(Duration.ofSeconds(45), Lapse.parse("45s"));
        assertEquals(Duration.ofMinutes(90), Lapse.parse("90min"));
        assertEquals(Duration.ofHours(2), Lapse.parse("2h"));
        assertEquals(Duration.ofHours(36), Lapse.parse("1d12h"));
        assertEquals(Duration.ofDays(56), Lapse.parse("8w"));
    }

    @Test
    void whatCouldMeanAnotherThingIsRefused() {
        for (String text : new String[] {"", "30m", "2", "0d", "d", "-1d", "1h2d", "1.5h", " 1d", "1y", "9999999d"}) {
            assertThrows(IllegalArgumentException.class, () -> Lapse.parse(text), text);
        }
    }

    @Test
    void peopleReadTheLargestUnitRoundedDown() {
        assertEquals("0 s", Lapse.format(Duration.ofMillis(999)));
        assertEquals("119 s", Lapse.format(Duration.ofSeconds(119)));
        assertEquals("2 min", Lapse.format(Duration.ofSeconds(179)));
        assertEquals("47 h", Lapse.format(Duration.ofDays(2).minusSeconds(1)));
        assertEquals("12 d", Lapse.format(Duration.ofDays(13).minusSeconds(1)));
        assertEquals("-3 h", Lapse.format(Duration.ofHours(-3)));
    }
}
