package varve.archive.sign;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.crypto.digests.Blake2bDigest;

/// The text that lies as `FILE.minisig` beside a file, and says who has signed it.
///
///     untrusted comment: anything
///     base64 of: algorithm (2 bytes), key id (8), Ed25519 of the BLAKE2b-512 of the file (64)
///     trusted comment: anything, which is signed as well
///     base64 of: Ed25519 of the first signature and the trusted comment (64)
///
/// The algorithm is `ED`. The older `Ed`, which signs the file itself and not its hash, is accepted and never made.
public final class Signature {

    /// most bytes that such a text has
    public static final int MAX_SIZE = 16 << 10;

    /// what is behind the name of the signed file
    public static final String EXTENSION = ".minisig";

    /// name of the file, in the folder of a volume, that has the public key it was signed with
    public static final String SIGNER = "varve-signer.pub";

    private static final String UNTRUSTED = "untrusted comment: ";
    private static final String TRUSTED = "trusted comment: ";
    private static final byte[] HASHED = {'E', 'D'};
    private static final int SIGNATURE_SIZE = 64;

    private final byte[] algorithm;
    private final byte[] id;
    private final byte[] signature;
    private final String comment;
    private final byte[] global;

    private Signature(byte[] algorithm, byte[] id, byte[] signature, String comment, byte[] global) {
        this.algorithm = algorithm;
        this.id = id;
        this.signature = signature;
        this.comment = comment;
        this.global = global;
    }

    static Signature make(SecretKey key, byte[] file, String comment) {
        byte[] signature = key.sign(digest(file, 64));
        return new Signature(HASHED, key.id(), signature, comment, key.sign(commented(signature, comment)));
    }

    /// @throws IllegalArgumentException if it is no signature
    public static Signature parse(byte[] text) {
        if (text.length > MAX_SIZE) {
            throw new IllegalArgumentException(text.length + " bytes, at most " + MAX_SIZE);
        }
        List<String> lines = new String(text, StandardCharsets.UTF_8).lines().toList();
        if (lines.size() != 4 || !lines.get(0).startsWith(UNTRUSTED) || !lines.get(2).startsWith(TRUSTED)) {
            throw new IllegalArgumentException("not the four lines of a signature of minisign");
        }
        byte[] first = Base64.getDecoder().decode(lines.get(1));
        byte[] global = Base64.getDecoder().decode(lines.get(3));
        byte[] algorithm = Arrays.copyOf(first, 2);
        if (first.length != 2 + PublicKey.ID_SIZE + SIGNATURE_SIZE || global.length != SIGNATURE_SIZE
                || !(Arrays.equals(algorithm, HASHED) || Arrays.equals(algorithm, PublicKey.ALGORITHM))) {
            throw new IllegalArgumentException("no Ed25519 signature of minisign");
        }
        Base64.Encoder base64 = Base64.getEncoder();
        if (!base64.encodeToString(first).equals(lines.get(1)) || !base64.encodeToString(global).equals(lines.get(3))) {
            throw new IllegalArgumentException("not in the one form that a signature of minisign has");
        }
        return new Signature(
                algorithm,
                Arrays.copyOfRange(first, 2, 2 + PublicKey.ID_SIZE),
                Arrays.copyOfRange(first, 2 + PublicKey.ID_SIZE, first.length),
                lines.get(2).substring(TRUSTED.length()),
                global);
    }

    /// {@return the text}
    public byte[] encode() {
        byte[] first = ByteBuffer.allocate(2 + PublicKey.ID_SIZE + SIGNATURE_SIZE).put(algorithm).put(id).put(signature).array();
        Base64.Encoder base64 = Base64.getEncoder();
        return (UNTRUSTED + "signature of varve key " + keyId() + "\n" + base64.encodeToString(first) + "\n" + TRUSTED + comment + "\n"
                        + base64.encodeToString(global) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /// {@return the number of the key that it claims to be of, as minisign prints it}
    public String keyId() {
        return PublicKey.id(id);
    }

    /// {@return the trusted comment, which is to be trusted once the signature was verified}
    public String comment() {
        return comment;
    }

    /// {@return whether the owner of a key has signed just this file, and the comment}
    public boolean of(PublicKey key, byte[] file) {
        return key.id().equals(keyId())
                && key.verifies(Arrays.equals(algorithm, HASHED) ? digest(file, 64) : file, signature)
                && key.verifies(commented(signature, comment), global);
    }

    private static byte[] commented(byte[] signature, String comment) {
        byte[] text = comment.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(signature.length + text.length).put(signature).put(text).array();
    }

    /// {@return BLAKE2b}
    static byte[] digest(byte[] message, int size) {
        Blake2bDigest blake2b = new Blake2bDigest(size * 8);
        blake2b.update(message, 0, message.length);
        byte[] digest = new byte[size];
        blake2b.doFinal(digest, 0);
        return digest;
    }
}
