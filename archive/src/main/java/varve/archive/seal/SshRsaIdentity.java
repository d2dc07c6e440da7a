package varve.archive.seal;

import java.util.Optional;
import org.bouncycastle.crypto.CryptoException;
import org.bouncycastle.crypto.encodings.OAEPEncoding;
import org.bouncycastle.crypto.params.RSAKeyParameters;

/// A secret RSA key of SSH.
///
/// @param secret the key
record SshRsaIdentity(SshRsaRecipient recipient, RSAKeyParameters secret) implements Identity {

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws AgeFormatException {
        if (!stanza.kind().equals(SshRsaRecipient.KIND)) {
            return Optional.empty();
        }
        if (stanza.words().size() != 2) {
            throw new AgeFormatException("a stanza of ssh-rsa with " + stanza.words().size() + " words");
        }
        if (!SshKeys.isTagOf(recipient.blob(), stanza.words().get(1))) {
            return Optional.empty();
        }
        OAEPEncoding cipher = SshRsaRecipient.cipher();
        cipher.init(false, secret);
        try {
            byte[] key = cipher.processBlock(stanza.body(), 0, stanza.body().length);
            if (key.length != FileKey.SIZE) {
                throw new AgeFormatException("a file key of " + key.length + " bytes");
            }
            return Optional.of(new FileKey(key));
        } catch (CryptoException | RuntimeException e) { // of a body that is too long
            return Optional.empty();
        }
    }

    /// {@return no secret}
    @Override
    public String toString() {
        return "the key of " + recipient;
    }
}
