package varve.archive.seal;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.params.RSAKeyParameters;
import org.bouncycastle.crypto.params.RSAPrivateCrtKeyParameters;
import org.bouncycastle.crypto.util.OpenSSHPrivateKeyUtil;
import org.bouncycastle.crypto.util.OpenSSHPublicKeyUtil;

/// Keys of OpenSSH: public ones as in `id_ed25519.pub`, secret ones as in `id_ed25519`.
final class SshKeys {

    private static final int TAG_SIZE = 4;

    private SshKeys() {}

    /// {@return what marks stanzas for a key}
    static String tag(byte[] blob) {
        try {
            return Base64Text.encode(Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(blob), TAG_SIZE));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// @throws AgeFormatException if it is no tag at all
    static boolean isTagOf(byte[] blob, String tag) throws AgeFormatException {
        Base64Text.decode(tag, TAG_SIZE);
        return tag(blob).equals(tag);
    }

    /// {@return the key of a line of an `authorized_keys` file}
    static Recipient recipient(String line) throws AgeFormatException {
        String[] words = line.split("\\s+", 3);
        try {
            byte[] blob = Base64.getDecoder().decode(words.length > 1 ? words[1] : "");
            Recipient recipient = recipient(OpenSSHPublicKeyUtil.parsePublicKey(blob));
            if (recipient.text().equals(words[0] + " " + words[1])) {
                return recipient;
            }
        } catch (AgeFormatException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // of a parser that was given anything; said below
        }
        throw new AgeFormatException("\"" + words[0] + "\" with no public key of this kind: expected a line as in id_ed25519.pub or id_rsa.pub");
    }

    private static Recipient recipient(AsymmetricKeyParameter key) throws IOException {
        byte[] blob = OpenSSHPublicKeyUtil.encodePublicKey(key);
        return switch (key) {
            case Ed25519PublicKeyParameters it -> SshEd25519Recipient.of(blob, it.getEncoded());
            case RSAKeyParameters it when !it.isPrivate() -> SshRsaRecipient.of(blob, it);
            default -> throw new AgeFormatException("an SSH key of another kind than ssh-ed25519 and ssh-rsa");
        };
    }

    /// {@return the key of a file such as `id_ed25519`}
    /// @param text of the file
    static Identity identity(String text) throws AgeFormatException {
        AsymmetricKeyParameter secret;
        try {
            String body = text.lines().filter(line -> !line.isBlank() && !line.startsWith("-----") && !line.contains(":")).map(String::strip)
                    .reduce("", String::concat);
            secret = OpenSSHPrivateKeyUtil.parsePrivateKeyBlob(Base64.getDecoder().decode(body));
        } catch (RuntimeException e) {
            throw new AgeFormatException("no SSH key that varve can read; if it has a passphrase, take it from a copy (ssh-keygen -p), or seal for an age key");
        }
        try {
            return switch (secret) {
                case Ed25519PrivateKeyParameters it when recipient(it.generatePublicKey()) instanceof SshEd25519Recipient recipient ->
                    new SshEd25519Identity(recipient, it.getEncoded());
                case RSAPrivateCrtKeyParameters it
                when recipient(new RSAKeyParameters(false, it.getModulus(), it.getPublicExponent())) instanceof SshRsaRecipient recipient ->
                    new SshRsaIdentity(recipient, it);
                default -> throw new AgeFormatException("an SSH key of another kind than ssh-ed25519 and ssh-rsa");
            };
        } catch (IOException e) {
            throw e instanceof AgeFormatException known ? known : new AgeFormatException(String.valueOf(e.getMessage()));
        }
    }
}
