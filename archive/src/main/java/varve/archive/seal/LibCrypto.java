package varve.archive.seal;

import static varve.archive.linux.Linux.word;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.NoSuchElementException;
import java.util.Optional;
import varve.archive.linux.Linux;

/// What is used of OpenSSL's libcrypto, of version 3 or 1.1: functions, by the names that they have there.
///
/// @param chacha20Poly1305 the cipher, and not the function that returns it
record LibCrypto(MemorySegment chacha20Poly1305, MemorySegment newContext, MemorySegment freeContext, MemorySegment cipherInit,
        MemorySegment control, MemorySegment cipherUpdate, MemorySegment cipherFinal) {

    /// the system's, unless it has none, or none that does the cipher, as where only what FIPS 140 knows is allowed; or `varve.seal.cipher` is
    /// `jdk`, which is for tests and measurements
    static final Optional<LibCrypto> LOADED =
            System.getProperty("varve.seal.cipher", "").equals("jdk") ? Optional.empty() : load("libcrypto.so.3", "libcrypto.so.1.1");

    /// openssl/crypto.h: nothing is cleaned up when the process ends, since threads may be encrypting until it has
    private static final long OPENSSL_INIT_NO_ATEXIT = 0x80000;

    private static Optional<LibCrypto> load(String... names) {
        for (String name : names) {
            try {
                return Optional.of(load(name));
            } catch (IllegalArgumentException | NoSuchElementException | IllegalStateException e) {
                // not there, built without the cipher, or not allowed to use it: the next, or the JDK's
            }
        }
        return Optional.empty();
    }

    private static LibCrypto load(String name) {
        SymbolLookup library = SymbolLookup.libraryLookup(name, Arena.global());
        Linux.run(library.findOrThrow("OPENSSL_init_crypto"), word(OPENSSL_INIT_NO_ATEXIT), MemorySegment.NULL);
        LibCrypto loaded = new LibCrypto(
                word(Linux.run(library.findOrThrow("EVP_chacha20_poly1305"))),
                library.findOrThrow("EVP_CIPHER_CTX_new"),
                library.findOrThrow("EVP_CIPHER_CTX_free"),
                library.findOrThrow("EVP_CipherInit_ex"),
                library.findOrThrow("EVP_CIPHER_CTX_ctrl"),
                library.findOrThrow("EVP_CipherUpdate"),
                library.findOrThrow("EVP_CipherFinal_ex"));
        new LibCryptoAead(loaded, new byte[Aead.KEY_SIZE]);
        return loaded;
    }
}
