package varve.archive.seal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;

/// Encrypts and decrypts the chunks of a payload, in any order: each is authenticated with its number, and with whether it is the last.
///
/// | offset | size | of the payload |
/// |---|---|---|
/// | 0 | 16 | nonce, from which the payload's key is derived |
/// | 16 + n * 65552 | 65552 | chunk n: 64 KiB of content, then its tag of 16 bytes; the last one may be shorter, and is not empty unless there is no content |
///
/// Works in place and off the heap. For one thread.
public final class ChunkCipher {

    /// bytes of content in a chunk
    public static final int CHUNK_SIZE = 1 << 16;

    /// bytes that a chunk is longer than its content
    public static final int TAG_SIZE = Aead.TAG_SIZE;

    /// bytes in front of the chunks
    public static final int NONCE_SIZE = 16;

    /// bytes that a chunk takes
    public static final int SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE;

    private final Aead cipher;
    private final byte[] nonce = new byte[Aead.NONCE_SIZE];

    /// @param nonce with which the payload begins
    public ChunkCipher(FileKey key, byte[] nonce) {
        this.cipher = Aead.of(key.payloadKey(nonce));
    }

    /// {@return memory for a chunk}
    static MemorySegment room() {
        return Arena.ofAuto().allocate(SEALED_CHUNK_SIZE, Long.BYTES);
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
    /// @param chunk has the content, and room for the tag behind it; gets the chunk
    public void seal(long number, boolean last, MemorySegment chunk) {
        cipher.seal(nonce(number, last), chunk);
    }

    /// Decrypts a chunk.
    ///
    /// @param content gets the content if it is what was sealed; if not, nothing of one is in it. It may lie where the chunk does, in front of the tag
    /// @throws AgeFormatException if it is not the chunk with this number of this payload, or was altered
    public void open(long number, boolean last, MemorySegment chunk, MemorySegment content) throws AgeFormatException {
        if (!cipher.open(nonce(number, last), chunk, content)) {
            throw new AgeFormatException((last ? "the last chunk, " : "chunk ") + number + ", is not what was sealed");
        }
    }

    private byte[] nonce(long number, boolean last) {
        for (int i = 0; i < Long.BYTES; i++) {
            nonce[10 - i] = (byte) (number >> 8 * i);
        }
        nonce[11] = (byte) (last ? 1 : 0);
        return nonce;
    }
}
