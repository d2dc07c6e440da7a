package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DamageTest {
    private static final byte[] BYTES = Images.noise(1, 2000);

    @TempDir
    Path folder;

    @Test
    void damageIsWhatItSays() throws Exception {
        assertEquals(BYTES[3] ^ 0x10, Damage.flip(3, 4).of(BYTES)[3]);
        assertEquals((byte) ~BYTES[5], Damage.invert(5).of(BYTES)[5]);
        assertArrayEquals(new byte[412], Arrays.copyOfRange(Damage.zeroSector(100).of(BYTES), 100, 512));
        assertEquals(512, Arrays.mismatch(Damage.zeroSector(600).of(BYTES), BYTES) - 88);
        assertEquals(7, Damage.truncate(7).of(BYTES).length);
        assertEquals(2003, Damage.append((byte) 1, (byte) 2, (byte) 3).of(BYTES).length);
        byte[] swapped = Damage.swap(10, 1000, 20).of(BYTES);
        assertArrayEquals(Arrays.copyOfRange(BYTES, 1000, 1020), Arrays.copyOfRange(swapped, 10, 30));
        assertEquals("flip bit 4 of byte 3", Damage.flip(3, 4).toString());

        Path file = Files.write(folder.resolve("file"), BYTES);
        Damage.flip(3, 4).inflictOn(file);
        assertEquals(3, Arrays.mismatch(BYTES, Files.readAllBytes(file)));
    }

    @Test
    void theOriginalStaysAsItIs() {
        byte[] copy = BYTES.clone();
        Damage.random(1, BYTES.length, 200).forEach(damage -> damage.of(BYTES));
        assertArrayEquals(copy, BYTES);
    }

    @Test
    void everyByteAndEveryEndIsMet() {
        List<byte[]> flipped = Damage.everyByte(50).map(damage -> damage.of(new byte[50])).toList();
        for (int i = 0; i < 50; i++) {
            assertEquals(i, Arrays.mismatch(new byte[50], flipped.get(i)));
        }
        assertEquals(50, Damage.everyTruncation(50).map(damage -> damage.of(new byte[50]).length).distinct().count());
    }

    @Test
    void smallFilesCanBeDamagedToo() {
        for (int size = 2; size < 40; size++) {
            byte[] bytes = Images.noise(size, size);
            assertFalse(Damage.random(size, size, 300).map(damage -> damage.of(bytes)).allMatch(d -> Arrays.equals(d, bytes)));
        }
        assertTrue(Damage.random(1, 100, 60).map(Damage::toString).anyMatch(what -> what.startsWith("swap")));
    }
}
