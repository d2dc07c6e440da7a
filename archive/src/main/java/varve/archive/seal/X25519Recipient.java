package varve.archive.seal;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.math.ec.rfc7748.X25519;

/// A public key of age's own kind: `age1...`.
///
/// @param point 32 bytes
record X25519Recipient(byte[] point) implements Recipient {

    static final String LABEL = "age";
    static final String KIND = "X25519";
    static final String INFO = "age-encryption.org/v1/X25519";
    static final int SIZE = 32;

    X25519Recipient {
        if (point.length != SIZE) {
            throw new IllegalArgumentException("a key of " + point.length + " bytes");
        }
    }

    @Override
    public Stanza wrap(FileKey key, SecureRandom random) {
        byte[] secret = new byte[SIZE];
        random.nextBytes(secret);
        byte[] share = share(secret);
        byte[] shared = new byte[SIZE];
        if (!X25519.calculateAgreement(secret, 0, point, 0, shared, 0)) {
            throw new IllegalArgumentException(text() + " is no key: nothing sealed for it would be secret");
        }
        return new Stanza(List.of(KIND, Base64Text.encode(share)), Keying.wrap(Keying.derive(shared, join(share, point), INFO), key));
    }

    /// {@return the public key of a secret one}
    static byte[] share(byte[] secret) {
        byte[] share = new byte[SIZE];
        X25519.scalarMultBase(secret, 0, share, 0);
        return share;
    }

    static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    @Override
    public String text() {
        return new Bech32(LABEL, point).encode();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof X25519Recipient that && Arrays.equals(point, that.point);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(point);
    }

    @Override
    public String toString() {
        return text();
    }
}
