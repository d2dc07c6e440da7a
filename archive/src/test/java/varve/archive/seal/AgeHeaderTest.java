package varve.archive.seal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AgeHeaderTest {

    private final FileKey key = FileKey.random(Sealing.RANDOM);
    private final X25519Identity alice = X25519Identity.random(Sealing.RANDOM);
    private final X25519Identity bob = X25519Identity.random(Sealing.RANDOM);

    @Test
    void eachRecipientOpensItAndNobodyElseDoes() throws IOException {
        AgeHeader header = sealed(alice.recipient(), bob.recipient());
        assertEquals(Optional.of(key), header.open(List.of(alice)));
        assertEquals(Optional.of(key), header.open(List.of(bob)));
        assertEquals(Optional.of(key), header.open(List.of(X25519Identity.random(Sealing.RANDOM), bob)));
        assertTrue(header.open(List.of(X25519Identity.random(Sealing.RANDOM))).isEmpty());
        assertTrue(header.open(List.of(new Passphrase("guess"))).isEmpty());
        assertEquals(2, header.recipients());
        assertEquals(List.of("X25519"), header.kinds());
    }

    @Test
    void everyByteOfItCounts() throws IOException {
        byte[] good = sealed(alice.recipient(), bob.recipient()).encode();
        for (int at = 0; at < good.length; at++) {
            for (int bit : new int[] {0, 3, 5, 7}) {
                byte[] flipped = good.clone();
                flipped[at] ^= (byte) (1 << bit);
                assertFalse(opens(flipped), "byte at " + at + ", bit " + bit);
            }
        }
        assertTrue(opens(good));
    }

    @Test
    void everyHeaderThatIsCutOffIsRefused() throws IOException {
        byte[] good = sealed(alice.recipient()).encode();
        for (int size = 0; size < good.length; size++) {
            byte[] cut = Arrays.copyOf(good, size);
            assertThrows(AgeFormatException.class, () -> AgeHeader.decode(cut));
        }
    }

    /// whether a key comes out of it that opens the same file
    private boolean opens(byte[] header) {
        try {
            return AgeHeader.decode(header).open(List.of(alice, bob)).filter(key::equals).isPresent();
        } catch (AgeFormatException e) {
            return false;
        }
    }

    @Test
    void whatIsReadIsWrittenTheSame() throws IOException {
        byte[] bytes = sealed(alice.recipient(), bob.recipient()).encode();
        byte[] more = Arrays.copyOf(bytes, bytes.length + 100);
        assertArrayEquals(bytes, AgeHeader.decode(more).encode());
    }

    @Test
    void aHeaderWithoutEndIsRefusedWithinBoundedMemory() {
        byte[] endless = new byte[AgeHeader.MAX_SIZE * 2];
        Arrays.fill(endless, (byte) 'A');
        System.arraycopy("age-encryption.org/v1\n-> X25519 ".getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0, endless, 0, 32);
        AgeFormatException e = assertThrows(AgeFormatException.class, () -> AgeHeader.decode(endless));
        assertTrue(e.getMessage().contains("longer than 65536 bytes"), e.getMessage());
    }

    @Test
    void aPassphraseIsAlone() {
        Passphrase passphrase = new Passphrase("open sesame", 4);
        assertThrows(IllegalArgumentException.class, () -> sealed(passphrase, alice.recipient()));
        assertThrows(IllegalArgumentException.class, () -> sealed(passphrase, passphrase));
        assertThrows(IllegalArgumentException.class, () -> sealed());
    }

    @Test
    void moreRecipientsThanAHeaderHoldsAreRefused() {
        Recipient[] many = Collections.nCopies(700, alice.recipient()).toArray(Recipient[]::new);
        assertThrows(IllegalArgumentException.class, () -> sealed(many));
    }

    private AgeHeader sealed(Recipient... recipients) {
        return AgeHeader.seal(key, List.of(recipients), Sealing.RANDOM);
    }
}
