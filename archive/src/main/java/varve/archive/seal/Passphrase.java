package varve.archive.seal;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;

/// A passphrase: who knows it can both seal and open. Making it slow to guess costs a second and 256 MiB for each file.
public final class Passphrase implements Recipient, Identity {

    /// what stands for it in lists of recipients
    public static final String TEXT = "passphrase";

    static final String KIND = "scrypt";

    /// the most that is spent on opening a file: four times what age itself spends, 1 GiB
    static final int MAX_WORK = 20;

    private static final String SALT = "age-encryption.org/v1/scrypt";
    private static final int SALT_SIZE = 16;
    private static final int WORK = 18;

    private final byte[] secret;
    private final int work;

    public Passphrase(CharSequence secret) {
        this(secret, WORK);
    }

    /// @param work logarithm of the cost of sealing
    Passphrase(CharSequence secret, int work) {
        byte[] bytes = new byte[secret.length() * 3];
        java.nio.ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(secret));
        int size = encoded.remaining();
        encoded.get(bytes, 0, size);
        this.secret = java.util.Arrays.copyOf(bytes, size);
        this.work = work;
    }

    @Override
    public Stanza wrap(FileKey key, SecureRandom random) {
        byte[] salt = new byte[SALT_SIZE];
        random.nextBytes(salt);
        return new Stanza(List.of(KIND, Base64Text.encode(salt), Integer.toString(work)), Keying.wrap(stretch(salt, work), key));
    }

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws AgeFormatException {
        if (!stanza.kind().equals(KIND)) {
            return Optional.empty();
        }
        if (stanza.words().size() != 3) {
            throw new AgeFormatException("a stanza of scrypt with " + stanza.words().size() + " words");
        }
        byte[] salt = Base64Text.decode(stanza.words().get(1), SALT_SIZE);
        String factor = stanza.words().get(2);
        if (!factor.matches("[1-9][0-9]{0,8}") || Integer.parseInt(factor) > MAX_WORK) {
            throw new AgeFormatException("a passphrase with work factor \"" + factor + "\", expected 1 to " + MAX_WORK);
        }
        return Keying.unwrap(stretch(salt, Integer.parseInt(factor)), stanza.body());
    }

    private byte[] stretch(byte[] salt, int factor) {
        return Scrypt.derive(secret, X25519Recipient.join(SALT.getBytes(StandardCharsets.US_ASCII), salt), factor, 8, 1, 32);
    }

    @Override
    public Recipient recipient() {
        return this;
    }

    @Override
    public String text() {
        return TEXT;
    }

    /// {@return no secret}
    @Override
    public String toString() {
        return TEXT;
    }
}
