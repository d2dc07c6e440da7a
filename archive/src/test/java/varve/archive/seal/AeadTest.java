package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.modes.ChaCha20Poly1305;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.testdata.Histories;

/// Both ciphers do what a third one, Bouncy Castle's, does; of which the example of the RFC says that it is right.
class AeadTest {

    private static final int TAG = Aead.TAG_SIZE;

    /// a cipher, by the name of its library
    private record Library(String name, Function<byte[], Aead> make) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Library> libraries() {
        return Stream.concat(Stream.of(new Library("jdk", JdkAead::new)),
                LibCrypto.LOADED.map(it -> new Library("libcrypto", key -> new LibCryptoAead(it, key))).stream());
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void theExampleOfTheRfc(Library library) throws Exception {
        // RFC 8439 section 2.8.2; without its additional data the tag is another
        byte[] key = HexFormat.of().parseHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
        byte[] nonce = HexFormat.of().parseHex("070000004041424344454647");
        byte[] text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
                .getBytes(StandardCharsets.US_ASCII);
        String expected = "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                + "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116";
        byte[] additional = HexFormat.of().parseHex("50515253c0c1c2c3c4c5c6c7");
        assertEquals(expected + "1ae10b594f09e26a7e902ecbd0600691", HexFormat.of().formatHex(referee(key, nonce, additional, text)));

        byte[] sealed = seal(library.make.apply(key), nonce, text);
        assertEquals(expected, HexFormat.of().formatHex(sealed, 0, text.length));
        assertArrayEquals(referee(key, nonce, new byte[0], text), sealed);
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void anyTextIsSealedAsTheRefereeSealsItAndComesBack(Library library) throws Exception {
        for (long seed : Histories.seeds(60)) {
            Random random = new Random(seed);
            Aead cipher = library.make.apply(bytes(random, Aead.KEY_SIZE));
            byte[] key = bytes(new Random(seed), Aead.KEY_SIZE);
            byte[] nonce = bytes(random, Aead.NONCE_SIZE);
            byte[] text = bytes(random, size(random));
            byte[] sealed = seal(cipher, nonce, text);
            assertArrayEquals(referee(key, nonce, new byte[0], text), sealed, "seed " + seed);
            assertArrayEquals(text, open(cipher, nonce, sealed), "seed " + seed);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void chunksAreSealedAndOpenedInAnyOrder(Library library) throws Exception {
        for (long seed : Histories.seeds(3)) {
            inAnyOrder(library, seed);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void threadsWithACipherEach(Library library) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> all = new ArrayList<>();
            for (long seed : Histories.seeds(4)) {
                all.add(threads.submit((Callable<?>) () -> {
                    inAnyOrder(library, seed);
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
    }

    /// seals what has been opened, opens what has been sealed, and opens what was altered, with one cipher
    private static void inAnyOrder(Library library, long seed) throws InvalidCipherTextException {
        Random random = new Random(seed);
        byte[] key = bytes(random, Aead.KEY_SIZE);
        Aead cipher = library.make.apply(key);
        byte[][] texts = new byte[8][];
        byte[][] sealed = new byte[8][];
        for (int i = 0; i < 8; i++) {
            texts[i] = bytes(random, size(random));
            sealed[i] = referee(key, nonce(i), new byte[0], texts[i]);
        }
        int before = -1; // which the JDK does not seal once more
        for (int step = 0; step < 200; step++) {
            int i = random.nextInt(8);
            String place = "seed " + seed + ", step " + step;
            if (i != before && random.nextInt(3) == 0) {
                assertArrayEquals(sealed[i], seal(cipher, nonce(i), texts[i]), place);
            } else if (random.nextInt(3) == 0) {
                i++;
                assertArrayEquals(new byte[0], open(cipher, nonce(i), sealed[i - 1]), place);
            } else {
                assertArrayEquals(texts[i], open(cipher, nonce(i), sealed[i]), place);
            }
            before = i;
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void everyBitCountsAndNothingOfWhatWasAlteredIsSeen(Library library) {
        Random random = new Random(1);
        Aead cipher = library.make.apply(bytes(random, Aead.KEY_SIZE));
        byte[] nonce = bytes(random, Aead.NONCE_SIZE);
        byte[] text = bytes(random, 300);
        byte[] sealed = seal(cipher, nonce, text);
        for (int bit = 0; bit < 8 * sealed.length; bit++) {
            byte[] altered = sealed.clone();
            altered[bit / 8] ^= (byte) (1 << bit % 8);
            assertUnseen(cipher, nonce, altered, text);
        }
        for (int size = TAG; size < sealed.length; size++) {
            assertUnseen(cipher, nonce, Arrays.copyOf(sealed, size), text);
        }
        assertArrayEquals(text, open(cipher, nonce, sealed));
    }

    private static void assertUnseen(Aead cipher, byte[] nonce, byte[] altered, byte[] text) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocateFrom(ValueLayout.JAVA_BYTE, altered);
            byte[] nothing = new byte[altered.length - TAG];
            MemorySegment elsewhere = arena.allocate(Math.max(1, nothing.length)).asSlice(0, nothing.length);
            assertFalse(cipher.open(nonce, room, elsewhere));
            assertArrayEquals(altered, room.toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(nothing, elsewhere.toArray(ValueLayout.JAVA_BYTE));
            assertFalse(cipher.open(nonce, room, room.asSlice(0, nothing.length)));
            byte[] left = room.asSlice(0, nothing.length).toArray(ValueLayout.JAVA_BYTE);
            assertTrue(Arrays.equals(left, Arrays.copyOf(altered, nothing.length)) || Arrays.equals(left, nothing));
            assertFalse(nothing.length > 8 && Arrays.equals(left, 0, 8, text, 0, 8));
        }
    }

    private static byte[] seal(Aead cipher, byte[] nonce, byte[] text) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(text.length + TAG);
            MemorySegment.copy(text, 0, room, ValueLayout.JAVA_BYTE, 0, text.length);
            cipher.seal(nonce, room);
            return room.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// {@return the text, or nothing if it is not what was sealed}
    private static byte[] open(Aead cipher, byte[] nonce, byte[] sealed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocateFrom(ValueLayout.JAVA_BYTE, sealed);
            MemorySegment text = room.asSlice(0, sealed.length - TAG);
            MemorySegment elsewhere = arena.allocate(sealed.length).asSlice(0, text.byteSize());
            boolean good = cipher.open(nonce, room, elsewhere);
            assertEquals(good, cipher.open(nonce, room, text));
            assertTrue(!good || elsewhere.mismatch(text) < 0);
            return good ? text.toArray(ValueLayout.JAVA_BYTE) : new byte[0];
        }
    }

    private static byte[] referee(byte[] key, byte[] nonce, byte[] additional, byte[] text) throws InvalidCipherTextException {
        ChaCha20Poly1305 cipher = new ChaCha20Poly1305();
        cipher.init(true, new AEADParameters(new KeyParameter(key), 8 * TAG, nonce, additional));
        byte[] sealed = new byte[text.length + TAG];
        int done = cipher.processBytes(text, 0, text.length, sealed, 0);
        cipher.doFinal(sealed, done);
        return sealed;
    }

    private static int size(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(40);
            case 1 -> ChunkCipher.CHUNK_SIZE - random.nextInt(3);
            default -> random.nextInt(ChunkCipher.CHUNK_SIZE + 1);
        };
    }

    private static byte[] nonce(int number) {
        byte[] nonce = new byte[Aead.NONCE_SIZE];
        nonce[10] = (byte) number;
        return nonce;
    }

    private static byte[] bytes(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }
}
