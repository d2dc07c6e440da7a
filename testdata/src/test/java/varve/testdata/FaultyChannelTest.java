package varve.testdata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FaultyChannelTest {
    private static final byte[] BYTES = Images.noise(1, 10_000);

    @TempDir
    Path folder;
    private FileChannel file;
    private FaultyChannel channel;

    @BeforeEach
    void open() throws IOException {
        Path path = Files.write(folder.resolve("file"), BYTES);
        file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        channel = FaultyChannel.over(file);
    }

    @AfterEach
    void close() throws IOException {
        channel.close();
        assertFalse(file.isOpen());
    }

    @Test
    void healthyChannelIsLikeTheOtherOne() throws IOException {
        assertArrayEquals(BYTES, Channels.newInputStream(channel).readAllBytes());
        assertEquals(-1, channel.read(ByteBuffer.allocate(1)));
        ByteBuffer buffer = ByteBuffer.allocate(100);
        assertEquals(100, channel.read(buffer, 50));
        assertArrayEquals(Arrays.copyOfRange(BYTES, 50, 150), buffer.array());
        assertEquals(3, channel.write(ByteBuffer.wrap(new byte[3]), 10_000));
        assertEquals(10_003, channel.size());
    }

    @Test
    void badSectorEndsAReadAndFailsTheNext() throws IOException {
        channel.badSectorAt(4096);
        assertEquals(4096 - 96, channel.read(ByteBuffer.allocate(10_000), 96));
        IOException e = assertThrows(IOException.class, () -> channel.read(ByteBuffer.allocate(10), 4096));
        assertEquals("Input/output error", e.getMessage());
        assertEquals(10, channel.read(ByteBuffer.allocate(10), 4097));
        assertEquals(10, channel.healthy().read(ByteBuffer.allocate(10), 4096));
    }

    @Test
    void fullDeviceTakesWhatFitsAndThenNothing() throws IOException {
        channel.fullAfter(150);
        assertEquals(100, channel.write(ByteBuffer.allocate(100)));
        ByteBuffer rest = ByteBuffer.allocate(100);
        assertEquals(50, channel.write(rest));
        assertEquals(50, rest.remaining());
        IOException e = assertThrows(IOException.class, () -> channel.write(rest));
        assertEquals("No space left on device", e.getMessage());
        assertEquals(50, channel.healthy().write(rest));
    }

    @Test
    void badWriteAndBadForceFail() throws IOException {
        channel.badWriteAt(20).badForce();
        assertEquals(20, channel.write(ByteBuffer.allocate(100), 0));
        assertThrows(IOException.class, () -> channel.write(ByteBuffer.allocate(100), 20));
        assertThrows(IOException.class, () -> channel.force(true));
    }

    @Test
    void transfersAreShort() throws IOException {
        channel.atMost(7);
        assertEquals(7, channel.read(ByteBuffer.allocate(100)));
        assertEquals(7, channel.position());
        assertEquals(7, channel.write(ByteBuffer.allocate(100)));
        assertArrayEquals(Arrays.copyOfRange(BYTES, 14, 10_000), Channels.newInputStream(channel).readAllBytes());
    }

    @Test
    void deviceShrinksAtOnceOrUnderTheReader() throws IOException {
        channel.shrinksTo(5000, 0);
        assertEquals(5000, channel.size());
        assertEquals(1000, channel.read(ByteBuffer.allocate(3000), 4000));
        assertEquals(-1, channel.read(ByteBuffer.allocate(3000), 5000));
        channel.healthy().shrinksTo(5000, 6000);
        assertEquals(6000, channel.read(ByteBuffer.allocate(6000), 0));
        assertEquals(-1, channel.read(ByteBuffer.allocate(6000), 6000));
        assertEquals(5000, channel.size());
    }
}
