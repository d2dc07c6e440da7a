package varve.archive.seal;

import static varve.archive.linux.Linux.word;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import varve.archive.linux.Linux;

/// The cipher of OpenSSL. Its context is freed, and the key in it wiped, once this is not reachable any more.
final class LibCryptoAead implements Aead {

    // openssl/evp.h
    private static final int EVP_CTRL_AEAD_GET_TAG = 0x10;
    private static final int EVP_CTRL_AEAD_SET_TAG = 0x11;

    private static final int DECRYPT = 0;
    private static final int ENCRYPT = 1;

    private final LibCrypto library;
    private final MemorySegment context;
    private final MemorySegment nonce;
    private final MemorySegment count;

    /// @throws IllegalStateException if the library would not
    LibCryptoAead(LibCrypto library, byte[] key) {
        this.library = library;
        Arena arena = Arena.ofAuto();
        this.nonce = arena.allocate(NONCE_SIZE);
        this.count = arena.allocate(ValueLayout.JAVA_INT);
        MemorySegment made = word(Linux.run(library.newContext()));
        check(!made.equals(MemorySegment.NULL), "EVP_CIPHER_CTX_new");
        this.context = made.reinterpret(arena, it -> Linux.run(library.freeContext(), it));
        try (Arena brief = Arena.ofConfined()) {
            MemorySegment copy = brief.allocateFrom(ValueLayout.JAVA_BYTE, key);
            init(library.chacha20Poly1305(), copy, ENCRYPT);
            copy.fill((byte) 0);
        }
    }

    @Override
    public void seal(byte[] nonce, MemorySegment bytes) {
        MemorySegment text = text(bytes);
        begin(ENCRYPT, nonce);
        update(text, text);
        check(end(text), "EVP_CipherFinal_ex");
        control(EVP_CTRL_AEAD_GET_TAG, tag(bytes));
    }

    /// OpenSSL has written the text before it finds the tag wrong; so that is wiped.
    @Override
    public boolean open(byte[] nonce, MemorySegment bytes, MemorySegment to) {
        begin(DECRYPT, nonce);
        control(EVP_CTRL_AEAD_SET_TAG, tag(bytes));
        boolean proved = false;
        try {
            update(text(bytes), to);
            proved = end(to);
        } finally {
            if (!proved) {
                to.fill((byte) 0);
            }
        }
        return proved;
    }

    private static MemorySegment text(MemorySegment bytes) {
        return bytes.asSlice(0, bytes.byteSize() - TAG_SIZE);
    }

    private static MemorySegment tag(MemorySegment bytes) {
        return bytes.asSlice(bytes.byteSize() - TAG_SIZE);
    }

    /// the key stays, and what was before is forgotten
    private void begin(int direction, byte[] nonce) {
        MemorySegment.copy(nonce, 0, this.nonce, ValueLayout.JAVA_BYTE, 0, NONCE_SIZE);
        init(MemorySegment.NULL, MemorySegment.NULL, direction);
    }

    private void init(MemorySegment cipher, MemorySegment key, int direction) {
        check(succeeds(library.cipherInit(), context, cipher, MemorySegment.NULL, key, nonce, word(direction)), "EVP_CipherInit_ex");
    }

    private void control(int what, MemorySegment tag) {
        check(succeeds(library.control(), context, word(what), word(TAG_SIZE), tag), "EVP_CIPHER_CTX_ctrl");
    }

    private void update(MemorySegment text, MemorySegment to) {
        long size = text.byteSize();
        if (size > 0) { // of no bytes, not every version makes the same
            check(succeeds(library.cipherUpdate(), context, to, count, text, word(size)) && count.get(ValueLayout.JAVA_INT, 0) == size,
                    "EVP_CipherUpdate");
        }
    }

    private boolean end(MemorySegment text) {
        return succeeds(library.cipherFinal(), context, text, count);
    }

    /// the segments, which are given as words, and with them the context, stay alive meanwhile
    private static boolean succeeds(MemorySegment function, MemorySegment... words) {
        return (int) Linux.run(function, words) == 1;
    }

    private static void check(boolean succeeded, String function) {
        if (!succeeded) {
            throw new IllegalStateException("libcrypto: " + function + " has failed");
        }
    }
}
