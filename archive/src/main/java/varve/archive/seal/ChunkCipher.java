package varve.archive.seal;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// Encrypts and decrypts the chunks of a payload, in any order: each is authenticated with its number, and with whether it is the last.
///
/// | offset | size | of the payload |
/// |---|---|---|
/// | 0 | 16 | nonce, from which the payload's key is derived |
/// | 16 + n * 65552 | 65552 | chunk n: 64 KiB of content, then its tag of 16 bytes; the last one may be shorter, and is not empty unless there is no content |
///
/// Works in place and on the heap, which is what the JDK's cipher is fastest at. For one thread.
public final class ChunkCipher {

    /// bytes of content in a chunk
    public static final int CHUNK_SIZE = 1 << 16;

    /// bytes that a chunk is longer than its content
    public static final int TAG_SIZE = 16;

    /// bytes in front of the chunks
    public static final int NONCE_SIZE = 16;

    /// bytes that a chunk takes
    public static final int SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE;

    private final SecretKeySpec key;
    private final Cipher cipher;
    private final byte[] nonce = new byte[12];

    /// @param nonce with which the payload begins
    public ChunkCipher(FileKey key, byte[] nonce) {
        this.key = new SecretKeySpec(key.payloadKey(nonce), "ChaCha20");
        try {
            this.cipher = Cipher.getInstance("ChaCha20-Poly1305");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    /// {@return a nonce for one payload}
    public static byte[] randomNonce(SecureRandom random) {
        byte[] bytes = new byte[NONCE_SIZE];
        random.nextBytes(bytes);
        return bytes;
    }

    /// {@return how many chunks hold so many bytes of content}
    public static long chunks(long contentSize) {
        return Math.max(1, (contentSize + CHUNK_SIZE - 1) / CHUNK_SIZE);
    }

    /// {@return the size of the payload of so many bytes of content}
    public static long payloadSize(long contentSize) {
        return NONCE_SIZE + contentSize + chunks(contentSize) * TAG_SIZE;
    }

    /// {@return how many bytes of content a payload of this size holds}
    /// @throws AgeFormatException if no payload has this size
    public static long contentSize(long payloadSize) throws AgeFormatException {
        long sealed = payloadSize - NONCE_SIZE;
        long chunks = Math.max(1, (sealed + SEALED_CHUNK_SIZE - 1) / SEALED_CHUNK_SIZE);
        long content = sealed - chunks * TAG_SIZE;
        if (content < 0 || payloadSize(content) != payloadSize) {
            throw new AgeFormatException("no payload has " + payloadSize + " bytes: it is cut off");
        }
        return content;
    }

    /// Encrypts a chunk.
    ///
    /// @param size of the content
    /// @param chunk has the content at its beginning, and gets the chunk there
    /// @return the size of the chunk
    public int seal(long number, boolean last, byte[] chunk, int size) {
        try {
            init(Cipher.ENCRYPT_MODE, number, last);
            return cipher.doFinal(chunk, 0, size, chunk, 0);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Decrypts a chunk.
    ///
    /// @param size of the chunk
    /// @param chunk has the chunk at its beginning, and gets the content there if it is what was sealed
    /// @return the size of the content
    /// @throws AgeFormatException if it is not the chunk with this number of this payload, or was altered
    public int open(long number, boolean last, byte[] chunk, int size) throws AgeFormatException {
        try {
            init(Cipher.DECRYPT_MODE, number, last);
            return cipher.doFinal(chunk, 0, size, chunk, 0);
        } catch (AEADBadTagException e) {
            throw new AgeFormatException((last ? "the last chunk, " : "chunk ") + number + ", is not what was sealed");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void init(int mode, long number, boolean last) throws GeneralSecurityException {
        for (int i = 0; i < Long.BYTES; i++) {
            nonce[10 - i] = (byte) (number >> 8 * i);
        }
        nonce[11] = (byte) (last ? 1 : 0);
        cipher.init(mode, key, new IvParameterSpec(nonce));
    }
}
