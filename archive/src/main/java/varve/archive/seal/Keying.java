package varve.archive.seal;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The primitives of age, of the JDK: HKDF and HMAC with SHA-256, and how a file key is wrapped with ChaCha20-Poly1305.
final class Keying {

    private static final int KEY_SIZE = 32;
    private static final int NONCE_SIZE = 12;

    private Keying() {}

    /// {@return a key, derived by HKDF-SHA-256}
    static byte[] derive(byte[] secret, byte[] salt, String info) {
        try {
            HKDFParameterSpec.Builder extract = HKDFParameterSpec.ofExtract();
            if (secret.length > 0) {
                extract.addIKM(secret);
            }
            if (salt.length > 0) {
                extract.addSalt(salt);
            }
            return KDF.getInstance("HKDF-SHA256").deriveData(extract.thenExpand(info.getBytes(StandardCharsets.US_ASCII), KEY_SIZE));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every JDK 25 has it
        }
    }

    static byte[] mac(byte[] key, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// {@return a file key, encrypted with a key that is used for nothing else}
    static byte[] wrap(byte[] key, FileKey fileKey) {
        try {
            return crypt(Cipher.ENCRYPT_MODE, key, fileKey.bytes());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// {@return the file key, or empty if it was wrapped with another key}
    /// @throws AgeFormatException if it is not of the size of a wrapped file key
    static Optional<FileKey> unwrap(byte[] key, byte[] wrapped) throws AgeFormatException {
        if (wrapped.length != FileKey.SIZE + ChunkCipher.TAG_SIZE) {
            throw new AgeFormatException("expected a wrapped key of " + (FileKey.SIZE + ChunkCipher.TAG_SIZE) + " bytes, found " + wrapped.length);
        }
        try {
            return Optional.of(new FileKey(crypt(Cipher.DECRYPT_MODE, key, wrapped)));
        } catch (AEADBadTagException e) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] crypt(int mode, byte[] key, byte[] bytes) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("ChaCha20-Poly1305");
        cipher.init(mode, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(new byte[NONCE_SIZE]));
        return cipher.doFinal(bytes);
    }
}
