package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import varve.testdata.Histories;

class SealedContentTest {

    private static final int CHUNK = ChunkCipher.CHUNK_SIZE;
    private static final int SEALED = ChunkCipher.SEALED_CHUNK_SIZE;

    private final X25519Identity identity = X25519Identity.random(Sealing.RANDOM);

    @Test
    void whatIsSealedComesBackAtEverySizeAroundTheEndsOfChunks() throws IOException {
        for (int size : new int[] {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK - 7}) {
            byte[] content = random(size, size);
            byte[] file = Sealing.seal(content, identity.recipient());
            assertEquals(AgeHeader.decode(file).size() + ChunkCipher.payloadSize(size), file.length);
            assertArrayEquals(content, open(file).orElseThrow());
        }
    }

    @Test
    void anyPartIsReadAtAnyPosition() throws IOException {
        byte[] content = random(5 * CHUNK + 99, 1);
        byte[] file = Sealing.seal(content, identity.recipient());
        AgeHeader header = AgeHeader.decode(file);
        try (SealedContent sealed = Sealing.content(file, header, header.open(List.of(identity)).orElseThrow())) {
            for (long seed : Histories.seeds(200)) {
                Random random = new Random(seed);
                int from = random.nextInt(content.length + 1);
                int to = from + random.nextInt(content.length + 1 - from);
                byte[] part = new byte[to - from];
                sealed.read(from, MemorySegment.ofArray(part), Sealing.bytes(file));
                assertArrayEquals(Arrays.copyOfRange(content, from, to), part);
            }
        }
    }

    @Test
    void flippedBytesOfThePayloadAreNeverGivenOut() throws IOException {
        byte[] content = random(3 * CHUNK + 20, 2);
        byte[] file = Sealing.seal(content, identity.recipient());
        int payload = AgeHeader.decode(file).size();
        Random random = new Random(2);
        int[] edges = {payload, payload + 15, payload + 16, payload + 15 + SEALED, payload + 16 + SEALED, file.length - 37, file.length - 1};
        for (int i = 0; i < 60; i++) {
            byte[] flipped = file.clone();
            int at = i < edges.length ? edges[i] : payload + random.nextInt(file.length - payload);
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            assertThrows(AgeFormatException.class, () -> open(flipped), () -> "byte at " + at);
        }
        assertArrayEquals(content, open(file).orElseThrow());
    }

    @Test
    void chunksInAnotherOrderAreRefused() throws IOException {
        byte[] file = Sealing.seal(random(4 * CHUNK, 3), identity.recipient());
        int first = AgeHeader.decode(file).size() + ChunkCipher.NONCE_SIZE;
        byte[] swapped = file.clone();
        System.arraycopy(file, first, swapped, first + SEALED, SEALED);
        System.arraycopy(file, first + SEALED, swapped, first, SEALED);
        assertThrows(AgeFormatException.class, () -> open(swapped));
    }

    @Test
    void aFileThatEndsEarlierIsRefusedBeforeAnyByteIsGivenOut() throws IOException {
        byte[] file = Sealing.seal(random(3 * CHUNK + 20, 4), identity.recipient());
        AgeHeader header = AgeHeader.decode(file);
        FileKey key = header.open(List.of(identity)).orElseThrow();
        for (int cut : new int[] {1, 16, 20 + 16, 20 + 16 + 1, 20 + 16 + SEALED, file.length - header.size() - 33}) {
            assertThrows(AgeFormatException.class, () -> Sealing.content(Arrays.copyOf(file, file.length - cut), header, key).close(),
                    () -> "cut off by " + cut);
        }
        byte[] longer = Arrays.copyOf(file, file.length + 1);
        assertThrows(AgeFormatException.class, () -> Sealing.content(longer, header, key).close());
    }

    @Test
    void thePayloadOfAnotherFileIsRefused() throws IOException {
        byte[] one = Sealing.seal(random(CHUNK, 5), identity.recipient());
        byte[] other = Sealing.seal(random(CHUNK, 6), identity.recipient());
        int payload = AgeHeader.decode(one).size();
        byte[] mixed = Arrays.copyOf(one, one.length);
        System.arraycopy(other, payload, mixed, payload, other.length - payload);
        assertThrows(AgeFormatException.class, () -> open(mixed));
    }

    private Optional<byte[]> open(byte[] file) throws IOException {
        return Sealing.open(file, identity);
    }

    static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
