package varve.archive.seal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;

/// Seals content as it comes: header, nonce, and a chunk as soon as it is known not to be the last.
///
/// For one thread.
public final class SealedOutput {

    private final Bytes to;
    private final ChunkCipher cipher;
    private final MemorySegment chunk = ChunkCipher.room();
    private int filled;
    private long size;

    /// Takes the sealed file.
    public interface Bytes {
        /// Takes all of `bytes`, which are changed afterwards.
        void append(MemorySegment bytes) throws IOException;
    }

    /// @param key of the file, which no other file may have; `header` holds it, wrapped
    public SealedOutput(FileKey key, AgeHeader header, SecureRandom random, Bytes to) throws IOException {
        this.to = to;
        byte[] nonce = ChunkCipher.randomNonce(random);
        this.cipher = new ChunkCipher(key, nonce);
        to.append(MemorySegment.ofArray(header.encode()));
        to.append(MemorySegment.ofArray(nonce));
    }

    /// {@return bytes of content so far}
    public long size() {
        return size;
    }

    /// Takes all of `bytes`; the caller may reuse the memory at once.
    public void append(MemorySegment bytes) throws IOException {
        for (long done = 0; done < bytes.byteSize(); ) {
            if (filled == ChunkCipher.CHUNK_SIZE) {
                seal(false);
            }
            int part = (int) Math.min(ChunkCipher.CHUNK_SIZE - filled, bytes.byteSize() - done);
            MemorySegment.copy(bytes, done, chunk, filled, part);
            filled += part;
            size += part;
            done += part;
        }
    }

    /// Ends the content.
    public void finish() throws IOException {
        seal(true);
    }

    private void seal(boolean last) throws IOException {
        long number = last ? ChunkCipher.chunks(size) - 1 : (size - filled) / ChunkCipher.CHUNK_SIZE;
        MemorySegment sealed = chunk.asSlice(0, filled + ChunkCipher.TAG_SIZE);
        cipher.seal(number, last, sealed);
        filled = 0;
        to.append(sealed);
    }
}
