package varve.archive.seal;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
import org.bouncycastle.math.ec.rfc7748.X25519;

/// A secret Ed25519 key of SSH.
final class SshEd25519Identity implements Identity {

    private final SshEd25519Recipient recipient;
    private final byte[] secret;

    /// @param seed the secret key
    SshEd25519Identity(SshEd25519Recipient recipient, byte[] seed) {
        this.recipient = recipient;
        try {
            // RFC 8032 section 5.1.5: the scalar is the first half of the hash
            this.secret = Arrays.copyOf(MessageDigest.getInstance("SHA-512").digest(seed), X25519Recipient.SIZE);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws AgeFormatException {
        if (!stanza.kind().equals(SshEd25519Recipient.KIND)) {
            return Optional.empty();
        }
        if (stanza.words().size() != 3) {
            throw new AgeFormatException("a stanza of ssh-ed25519 with " + stanza.words().size() + " words");
        }
        if (!SshKeys.isTagOf(recipient.blob(), stanza.words().get(1))) {
            return Optional.empty();
        }
        byte[] share = Base64Text.decode(stanza.words().get(2), X25519Recipient.SIZE);
        byte[] shared = new byte[X25519Recipient.SIZE];
        if (!X25519.calculateAgreement(secret, 0, share, 0, shared, 0)) {
            throw new AgeFormatException("a stanza of ssh-ed25519 with a share of low order");
        }
        return Keying.unwrap(recipient.wrapKey(shared, share), stanza.body());
    }

    @Override
    public Recipient recipient() {
        return recipient;
    }

    /// {@return no secret}
    @Override
    public String toString() {
        return "the key of " + recipient;
    }
}
