package varve.archive.seal;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.crypto.CryptoException;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.encodings.OAEPEncoding;
import org.bouncycastle.crypto.engines.RSABlindedEngine;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.params.RSAKeyParameters;

/// An RSA key of SSH, of 2048 bits or more.
///
/// @param blob the public key as SSH writes it
record SshRsaRecipient(byte[] blob, RSAKeyParameters key) implements Recipient {

    static final String KIND = "ssh-rsa";

    private static final String LABEL = "age-encryption.org/v1/ssh-rsa";
    private static final int MIN_BITS = 2048;
    private static final int MAX_BITS = 16384;

    static SshRsaRecipient of(byte[] blob, RSAKeyParameters key) throws AgeFormatException {
        int bits = key.getModulus().bitLength();
        if (bits < MIN_BITS || bits > MAX_BITS) {
            throw new AgeFormatException("an RSA key of " + bits + " bits, expected " + MIN_BITS + " to " + MAX_BITS);
        }
        return new SshRsaRecipient(blob, key);
    }

    /// {@return the cipher, not yet for a key: OAEP with SHA-256}
    static OAEPEncoding cipher() {
        return new OAEPEncoding(new RSABlindedEngine(), new SHA256Digest(), new SHA256Digest(), LABEL.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }

    @Override
    public Stanza wrap(FileKey fileKey, SecureRandom random) {
        OAEPEncoding cipher = cipher();
        cipher.init(true, new ParametersWithRandom(key, random));
        try {
            return new Stanza(List.of(KIND, SshKeys.tag(blob)), cipher.processBlock(fileKey.bytes(), 0, FileKey.SIZE));
        } catch (CryptoException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String text() {
        return KIND + " " + Base64.getEncoder().encodeToString(blob);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SshRsaRecipient that && Arrays.equals(blob, that.blob);
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
