package varve.archive.seal;

import java.security.SecureRandom;
import java.util.Locale;
import java.util.Optional;
import org.bouncycastle.math.ec.rfc7748.X25519;

/// A secret key of age's own kind: `AGE-SECRET-KEY-1...`.
final class X25519Identity implements Identity {

    private static final String LABEL = "age-secret-key-";

    private final byte[] secret;
    private final X25519Recipient recipient;

    private X25519Identity(byte[] secret) {
        this.secret = secret;
        this.recipient = new X25519Recipient(X25519Recipient.share(secret));
    }

    /// {@return a new key}
    static X25519Identity random(SecureRandom random) {
        byte[] secret = new byte[X25519Recipient.SIZE];
        random.nextBytes(secret);
        return new X25519Identity(secret);
    }

    static X25519Identity parse(String text) throws AgeFormatException {
        Bech32 key = Bech32.decode(text);
        if (!key.label().equals(LABEL) || !text.equals(text.toUpperCase(Locale.ROOT)) || key.data().length != X25519Recipient.SIZE) {
            throw new AgeFormatException("no secret key that varve knows: expected AGE-SECRET-KEY-1...");
        }
        return new X25519Identity(key.data());
    }

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws AgeFormatException {
        if (!stanza.kind().equals(X25519Recipient.KIND)) {
            return Optional.empty();
        }
        if (stanza.words().size() != 2) {
            throw new AgeFormatException("a stanza of X25519 with " + stanza.words().size() + " words");
        }
        byte[] share = Base64Text.decode(stanza.words().get(1), X25519Recipient.SIZE);
        byte[] shared = new byte[X25519Recipient.SIZE];
        if (!X25519.calculateAgreement(secret, 0, share, 0, shared, 0)) {
            throw new AgeFormatException("a stanza of X25519 with a share of low order");
        }
        byte[] key = Keying.derive(shared, X25519Recipient.join(share, recipient.point()), X25519Recipient.INFO);
        return Keying.unwrap(key, stanza.body());
    }

    @Override
    public Recipient recipient() {
        return recipient;
    }

    /// {@return the secret key, as age writes it}
    String secretText() {
        return new Bech32(LABEL, secret).encode().toUpperCase(Locale.ROOT);
    }

    /// {@return no secret}
    @Override
    public String toString() {
        return "the key of " + recipient;
    }
}
