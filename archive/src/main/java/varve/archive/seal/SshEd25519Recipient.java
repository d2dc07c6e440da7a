package varve.archive.seal;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.math.ec.rfc7748.X25519;

/// An Ed25519 key of SSH, taken for one of X25519: both are points of one curve.
///
/// @param blob the public key as SSH writes it
/// @param point the same, of X25519
record SshEd25519Recipient(byte[] blob, byte[] point) implements Recipient {

    static final String KIND = "ssh-ed25519";
    static final String INFO = "age-encryption.org/v1/ssh-ed25519";

    private static final BigInteger P = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));

    /// @param blob the public key as SSH writes it
    /// @param point of Ed25519, 32 bytes
    static SshEd25519Recipient of(byte[] blob, byte[] point) throws AgeFormatException {
        byte[] bytes = reversed(point);
        bytes[0] &= 0x7f; // the sign of x
        BigInteger y = new BigInteger(1, bytes);
        if (y.compareTo(P) >= 0 || y.equals(BigInteger.ONE)) {
            throw new AgeFormatException("no point of the curve");
        }
        // RFC 7748 section 4.1: u = (1 + y) / (1 - y)
        BigInteger u = BigInteger.ONE.add(y).multiply(BigInteger.ONE.subtract(y).modInverse(P)).mod(P);
        byte[] found = u.toByteArray();
        byte[] padded = new byte[32];
        int size = Math.min(found.length, 32);
        System.arraycopy(found, found.length - size, padded, 32 - size, size);
        return new SshEd25519Recipient(blob, reversed(padded));
    }

    private static byte[] reversed(byte[] bytes) {
        byte[] other = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            other[i] = bytes[bytes.length - 1 - i];
        }
        return other;
    }

    @Override
    public Stanza wrap(FileKey key, SecureRandom random) {
        byte[] secret = new byte[X25519Recipient.SIZE];
        random.nextBytes(secret);
        byte[] share = X25519Recipient.share(secret);
        byte[] shared = agree(secret, point, text());
        return new Stanza(List.of(KIND, SshKeys.tag(blob), Base64Text.encode(share)), Keying.wrap(wrapKey(shared, share), key));
    }

    /// {@return what wraps a file key}
    /// @param shared of the share and this key
    byte[] wrapKey(byte[] shared, byte[] share) {
        byte[] tweak = Keying.derive(new byte[0], blob, INFO); // ties it to the key as SSH knows it
        return Keying.derive(agree(tweak, shared, text()), X25519Recipient.join(share, point), INFO);
    }

    private static byte[] agree(byte[] secret, byte[] point, String key) {
        byte[] shared = new byte[X25519Recipient.SIZE];
        if (!X25519.calculateAgreement(secret, 0, point, 0, shared, 0)) {
            throw new IllegalArgumentException(key + " is no key: nothing sealed for it would be secret");
        }
        return shared;
    }

    @Override
    public String text() {
        return KIND + " " + Base64.getEncoder().encodeToString(blob);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SshEd25519Recipient that && Arrays.equals(blob, that.blob);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(blob);
    }

    @Override
    public String toString() {
        return text();
    }
}
