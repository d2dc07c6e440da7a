package varve.archive.seal;

import java.lang.foreign.MemorySegment;

/// ChaCha20-Poly1305 (RFC 8439 section 2.8) with one key, without additional data, off the heap. For one thread.
///
/// It is OpenSSL's, which is fast from the first byte on; or the JDK's where a system has no libcrypto, which is fast once C2 has compiled it, and slow without C2.
sealed interface Aead permits LibCryptoAead, JdkAead {

    int KEY_SIZE = 32;
    int NONCE_SIZE = 12;
    int TAG_SIZE = 16;

    static Aead of(byte[] key) {
        return LibCrypto.LOADED.isPresent() ? new LibCryptoAead(LibCrypto.LOADED.get(), key) : new JdkAead(key);
    }

    /// Encrypts in place.
    ///
    /// @param nonce that this key has not had before
    /// @param bytes the text, and room for the tag behind it
    void seal(byte[] nonce, MemorySegment bytes);

    /// Decrypts.
    ///
    /// @param bytes what was encrypted, its tag behind it
    /// @param to gets the text; it may begin where `bytes` does, and must not overlap with that otherwise
    /// @return whether it is what was sealed; if not, nothing of a text is in `to`
    boolean open(byte[] nonce, MemorySegment bytes, MemorySegment to);
}
