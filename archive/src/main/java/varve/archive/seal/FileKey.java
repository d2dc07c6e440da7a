package varve.archive.seal;

import java.security.MessageDigest;
import java.security.SecureRandom;

/// The secret of one file: 16 random bytes, from which all else that protects the file is derived.
public final class FileKey {

    static final int SIZE = 16;

    private final byte[] bytes;

    FileKey(byte[] bytes) {
        if (bytes.length != SIZE) {
            throw new IllegalArgumentException("a file key of " + bytes.length + " bytes");
        }
        this.bytes = bytes.clone();
    }

    /// {@return a new one}
    public static FileKey random(SecureRandom random) {
        byte[] bytes = new byte[SIZE];
        random.nextBytes(bytes);
        return new FileKey(bytes);
    }

    byte[] bytes() {
        return bytes.clone();
    }

    /// {@return what authenticates a header}
    byte[] mac(byte[] header) {
        return Keying.mac(Keying.derive(bytes, new byte[0], "header"), header);
    }

    /// {@return the key that encrypts a payload}
    /// @param nonce with which the payload begins
    byte[] payloadKey(byte[] nonce) {
        return Keying.derive(bytes, nonce, "payload");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileKey that && MessageDigest.isEqual(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return bytes[0];
    }

    /// {@return no secret}
    @Override
    public String toString() {
        return "file key";
    }
}
