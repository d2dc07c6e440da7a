package varve.archive.seal;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.ExtendedDigest;

/// The JDK's SHA-256 for HKDF and HMAC of Bouncy Castle, whose own first sets up parameters of DSA and Diffie-Hellman that nobody here needs, for 7 ms.
final class Sha256 implements ExtendedDigest {

    private static final int SIZE = 32;
    private static final int BLOCK = 64;

    private final MessageDigest digest;

    Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // each Java platform has it
        }
    }

    @Override
    public String getAlgorithmName() {
        return digest.getAlgorithm();
    }

    @Override
    public int getDigestSize() {
        return SIZE;
    }

    @Override
    public int getByteLength() {
        return BLOCK;
    }

    @Override
    public void update(byte in) {
        digest.update(in);
    }

    @Override
    public void update(byte[] in, int offset, int length) {
        digest.update(in, offset, length);
    }

    @Override
    public int doFinal(byte[] out, int offset) {
        try {
            return digest.digest(out, offset, SIZE);
        } catch (DigestException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    public void reset() {
        digest.reset();
    }
}
