package varve.archive.hash;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HashTest {
    private static final String EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

    @Test
    void digitsAreInTheOrderOfTheBytes() {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) 0xaf;
        bytes[31] = 0x62;
        assertEquals("af" + "00".repeat(30) + "62", Hash.of(bytes).toString());
        assertEquals(0xaf, Hash.of(bytes).w0());
        assertEquals(0x62L << 56, Hash.of(bytes).w3());
    }

    @Test
    void comesBackFromDigitsBytesAndMemory() {
        Hash hash = Hash.parse(EMPTY);
        assertEquals(EMPTY, hash.toString());
        assertEquals(hash, Hash.of(hash.bytes()));
        MemorySegment memory = MemorySegment.ofArray(new byte[40]);
        hash.write(memory, 5);
        assertEquals(hash, Hash.read(memory, 5));
        byte[] expected = new byte[40];
        System.arraycopy(hash.bytes(), 0, expected, 5, 32);
        assertArrayEquals(expected, (byte[]) memory.heapBase().orElseThrow());
    }

    @Test
    void briefIsHowItBegins() {
        assertEquals("af1349b9f5f9", Hash.parse(EMPTY).brief());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "",
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f326",
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f32620",
        "AF1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        "gf1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        "٠f1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    })
    void anythingButLowerCaseDigitsIsRefused(String hex) {
        assertThrows(IllegalArgumentException.class, () -> Hash.parse(hex));
    }

    @Test
    void otherThan32BytesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Hash.of(new byte[31]));
        assertThrows(IllegalArgumentException.class, () -> Hash.of(new byte[33]));
    }
}
