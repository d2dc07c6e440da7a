package varve.archive.seal;

import java.util.Optional;

/// A secret key (or a passphrase) that opens what was sealed for its recipient.
public sealed interface Identity permits X25519Identity, SshEd25519Identity, SshRsaIdentity, Passphrase {

    /// Unwraps a file key.
    ///
    /// @return empty if the stanza is for somebody else
    /// @throws AgeFormatException if the stanza is of this kind, but not of its form
    Optional<FileKey> unwrap(Stanza stanza) throws AgeFormatException;

    /// {@return whom to seal for so that this opens it}
    Recipient recipient();
}
