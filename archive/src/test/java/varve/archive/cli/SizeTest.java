package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SizeTest {
    @ParameterizedTest
    @CsvSource({"0,0", "512,512", "512B,512", "64K,65536", "64k,65536", "1M,1048576", "1MiB,1048576", "1 mb,1048576",
        "2G,2147483648", "1T,1099511627776", "3P,3377699720527872", "7E,8070450532247928832"})
    void readsWhatPeopleWrite(String text, long bytes) {
        assertEquals(bytes, Size.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "K", "-1", "1X", "1.5G", "8E", "99999999999999999999", "1 K K", "0x10"})
    void refusesTheRest(String text) {
        assertThrows(IllegalArgumentException.class, () -> Size.parse(text));
    }

    @ParameterizedTest
    @CsvSource({"0,0 B", "1023,1023 B", "1024,1.0 KiB", "1536,1.5 KiB", "1048575,1.0 MiB", "1048576,1.0 MiB",
        "4294967296,4.0 GiB", "9223372036854775807,8.0 EiB"})
    void writesForPeople(long bytes, String text) {
        assertEquals(text, Size.format(bytes));
    }

    @Test
    void aRateMaySaySo() {
        assertEquals(50 << 20, new Size.Rate().convert("50M/s"));
        assertEquals(50 << 20, new Size.Rate().convert("50M"));
    }
}
