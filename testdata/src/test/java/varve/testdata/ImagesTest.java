package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesTest {

    @TempDir
    Path folder;

    @Test
    void imagesAreTheSameEveryTime() {
        assertEquals("summer core ", new String(Images.text(1, 12)));
        assertEquals("73d51abb", HexFormat.of().formatHex(Images.noise(1, 4)));
        assertArrayEquals(Images.mixed(7, 3_000_000), Images.mixed(7, 3_000_000));
    }

    @Test
    void smallerImageIsThePrefixOfTheLarger() {
        assertArrayEquals(Images.mixed(7, 1_500_001), Arrays.copyOf(Images.mixed(7, 4_000_000), 1_500_001));
    }

    @Test
    void mixedImageHasZerosAndNoiseAndText() {
        byte[] image = Images.mixed(7, 8 << 20);
        int zero = 0;
        for (int at = 0; at < image.length; at += Images.BLOCK) {
            zero += Arrays.equals(image, at, at + Images.BLOCK, new byte[Images.BLOCK], 0, Images.BLOCK) ? 1 : 0;
        }
        assertTrue(zero > 100 && zero < 1500, zero + " of 2048 blocks are zero");
    }

    @Test
    void sparseFileHoldsTheImage() throws Exception {
        for (int size : new int[] {0, 1, 4096, 4097, 1 << 20, 2_500_000}) {
            Path file = folder.resolve("mixed-" + size);
            Images.writeMixed(3, size, file);
            assertArrayEquals(Images.mixed(3, size), Files.readAllBytes(file));
            Path other = folder.resolve("plain-" + size);
            Images.write(new byte[size], other);
            assertEquals(size, Files.size(other));
        }
    }
}
