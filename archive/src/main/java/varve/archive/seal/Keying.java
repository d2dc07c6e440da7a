package varve.archive.seal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.HKDFParameters;
import org.bouncycastle.crypto.params.KeyParameter;

/// The primitives of age: HKDF and HMAC with SHA-256, and how a file key is wrapped with ChaCha20-Poly1305.
final class Keying {

    private static final byte[] NONCE = new byte[Aead.NONCE_SIZE];

    private Keying() {}

    /// {@return a key, derived by HKDF-SHA-256}
    static byte[] derive(byte[] secret, byte[] salt, String info) {
        HKDFBytesGenerator generator = new HKDFBytesGenerator(new Sha256());
        generator.init(new HKDFParameters(secret, salt, info.getBytes(StandardCharsets.US_ASCII)));
        byte[] key = new byte[Aead.KEY_SIZE];
        generator.generateBytes(key, 0, key.length);
        return key;
    }

    static byte[] mac(byte[] key, byte[] message) {
        HMac mac = new HMac(new Sha256());
        mac.init(new KeyParameter(key));
        mac.update(message, 0, message.length);
        byte[] code = new byte[mac.getMacSize()];
        mac.doFinal(code, 0);
        return code;
    }

    /// {@return a file key, encrypted with a key that is used for nothing else}
    static byte[] wrap(byte[] key, FileKey fileKey) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(FileKey.SIZE + Aead.TAG_SIZE);
            bytes.copyFrom(MemorySegment.ofArray(fileKey.bytes()));
            Aead.of(key).seal(NONCE, bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// {@return the file key, or empty if it was wrapped with another key}
    /// @throws AgeFormatException if it is not of the size of a wrapped file key
    static Optional<FileKey> unwrap(byte[] key, byte[] wrapped) throws AgeFormatException {
        if (wrapped.length != FileKey.SIZE + Aead.TAG_SIZE) {
            throw new AgeFormatException("expected a wrapped key of " + (FileKey.SIZE + Aead.TAG_SIZE) + " bytes, found " + wrapped.length);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, wrapped);
            if (!Aead.of(key).open(NONCE, bytes, bytes.asSlice(0, FileKey.SIZE))) {
                return Optional.empty();
            }
            FileKey fileKey = new FileKey(bytes.asSlice(0, FileKey.SIZE).toArray(ValueLayout.JAVA_BYTE));
            bytes.fill((byte) 0);
            return Optional.of(fileKey);
        }
    }
}
