package varve.archive.seal;

import java.security.SecureRandom;

/// A public key (or a passphrase) for which files are sealed.
public sealed interface Recipient permits X25519Recipient, SshEd25519Recipient, SshRsaRecipient, Passphrase {

    /// Wraps a file key.
    Stanza wrap(FileKey key, SecureRandom random);

    /// {@return its one text: the public key without any comment, or `passphrase`}
    String text();

    /// {@return the recipient that a line names: an age key, or a line of an `authorized_keys` file}
    /// @throws AgeFormatException if it names none, or one of a kind that varve does not know
    static Recipient parse(String line) throws AgeFormatException {
        String text = line.strip();
        String lower = text.toLowerCase(java.util.Locale.ROOT);
        if (lower.startsWith("age-secret-key-")) {
            throw new AgeFormatException("a secret key, expected the public one that belongs to it (age-keygen -y FILE prints it)");
        }
        if (text.startsWith("ssh-")) {
            return SshKeys.recipient(text);
        }
        if (lower.startsWith("age1")) {
            Bech32 key = Bech32.decode(text);
            if (key.label().equals(X25519Recipient.LABEL)) {
                return new X25519Recipient(key.data());
            }
            throw new AgeFormatException("a key of the kind \"" + key.label() + "\": varve knows those of age (age1...), ssh-ed25519 and ssh-rsa");
        }
        throw new AgeFormatException("\"" + (text.length() > 30 ? text.substring(0, 30) + "..." : text)
                + "\" is no public key: expected age1..., ssh-ed25519 ... or ssh-rsa ...");
    }
}
