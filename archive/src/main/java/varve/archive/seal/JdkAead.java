package varve.archive.seal;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The cipher of the JDK. It works in an array of its own, which is what it is fastest at.
final class JdkAead implements Aead {

    private final SecretKeySpec key;
    private final Cipher cipher;
    private byte[] room = {};

    JdkAead(byte[] key) {
        this.key = new SecretKeySpec(key, "ChaCha20");
        try {
            this.cipher = Cipher.getInstance("ChaCha20-Poly1305");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    @Override
    public void seal(byte[] nonce, MemorySegment bytes) {
        try {
            crypt(Cipher.ENCRYPT_MODE, nonce, bytes.asSlice(0, bytes.byteSize() - TAG_SIZE), bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean open(byte[] nonce, MemorySegment bytes, MemorySegment to) {
        try {
            crypt(Cipher.DECRYPT_MODE, nonce, bytes, to);
            return true;
        } catch (AEADBadTagException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void crypt(int mode, byte[] nonce, MemorySegment bytes, MemorySegment to) throws GeneralSecurityException {
        int size = (int) bytes.byteSize();
        if (room.length < size + TAG_SIZE) {
            room = new byte[size + TAG_SIZE];
        }
        cipher.init(mode, key, new IvParameterSpec(nonce));
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, room, 0, size);
        int count = cipher.doFinal(room, 0, size, room, 0);
        MemorySegment.copy(room, 0, to, ValueLayout.JAVA_BYTE, 0, count);
        Arrays.fill(room, (byte) 0);
    }
}
