package varve.archive.sign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/// What a signature is checked with: an Ed25519 public key and the number that its owner's signatures name.
///
/// As text it is the 56 characters of minisign: base64 of `Ed`, 8 bytes of key id, 32 bytes of key.
///
/// @param text the 56 characters
public record PublicKey(String text) {

    static final byte[] ALGORITHM = {'E', 'd'};
    static final int KEY_SIZE = 32;
    static final int ID_SIZE = 8;

    private static final int SIZE = ALGORITHM.length + ID_SIZE + KEY_SIZE;

    /// @throws IllegalArgumentException if it is no public key
    public PublicKey {
        byte[] bytes = Base64.getDecoder().decode(text);
        if (bytes.length != SIZE || !Arrays.equals(Arrays.copyOf(bytes, 2), ALGORITHM)) {
            throw new IllegalArgumentException("no Ed25519 key of minisign");
        }
        text = Base64.getEncoder().encodeToString(bytes);
    }

    static PublicKey of(byte[] id, byte[] key) {
        return new PublicKey(Base64.getEncoder().encodeToString(
                ByteBuffer.allocate(SIZE).put(ALGORITHM).put(id).put(key).array()));
    }

    /// {@return the key in a file of minisign, or in its second line alone}
    /// @throws IllegalArgumentException if it is none
    public static PublicKey parse(String file) {
        List<String> lines = file.strip().lines().toList();
        if (lines.isEmpty() || lines.size() > 2) {
            throw new IllegalArgumentException("expected a comment and a key on two lines, found " + lines.size());
        }
        return new PublicKey(lines.getLast().strip());
    }

    /// {@return the file of minisign}
    public String file() {
        return "untrusted comment: varve public key " + id() + "\n" + text + "\n";
    }

    /// {@return its number as minisign prints it: 16 hexadecimal digits}
    public String id() {
        return id(bytes(ALGORITHM.length, ID_SIZE));
    }

    static String id(byte[] id) {
        return String.format("%016X", ByteBuffer.wrap(id).order(ByteOrder.LITTLE_ENDIAN).getLong());
    }

    boolean verifies(byte[] message, byte[] signature) {
        byte[] key = bytes(ALGORITHM.length + ID_SIZE, KEY_SIZE);
        return signature.length == Ed25519.SIGNATURE_SIZE && Ed25519.verify(signature, 0, key, 0, message, 0, message.length);
    }

    private byte[] bytes(int from, int size) {
        return Arrays.copyOfRange(Base64.getDecoder().decode(text), from, from + size);
    }
}
