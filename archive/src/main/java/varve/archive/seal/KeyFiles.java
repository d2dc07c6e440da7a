package varve.archive.seal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Files with keys, as age and SSH keep them.
public final class KeyFiles {

    /// bytes that such a file may have
    private static final int MAX_SIZE = 1 << 20;

    private KeyFiles() {}

    /// Asks for the passphrase of something.
    public interface Asking {
        /// @param what it opens, for the question
        /// @param anew whether it is to seal, so that a slip of the finger must not count
        /// @return empty if there is nobody to ask
        Optional<Passphrase> ask(String what, boolean anew) throws IOException;
    }

    /// Reads whom to seal for: an age key or a line of SSH's on each line; empty ones and those that begin with `#` do not count.
    ///
    /// @throws AgeFormatException if a line is no recipient, or there is none
    public static List<Recipient> recipients(Path file) throws IOException {
        List<Recipient> recipients = new ArrayList<>();
        List<String> lines = text(read(file)).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (isKey(lines.get(i))) {
                try {
                    recipients.add(Recipient.parse(lines.get(i)));
                } catch (AgeFormatException e) {
                    throw new AgeFormatException(file + ": line " + (i + 1) + ": " + e.getMessage());
                }
            }
        }
        if (recipients.isEmpty()) {
            throw new AgeFormatException(file + ": holds no public key");
        }
        return recipients;
    }

    /// Reads secret keys: those of age, one a line; or one of SSH; or a file of the first kind, sealed with a passphrase.
    ///
    /// @throws AgeFormatException if it is none of these
    /// @throws WrongKeyException if it is sealed and the passphrase does not open it
    public static List<Identity> identities(Path file, Asking asking) throws IOException {
        byte[] content = read(file);
        try {
            if (text(content).startsWith("age-encryption.org/")) {
                return ageKeys(text(unseal(content, file, asking)));
            }
            return text(content).contains("-----BEGIN ") ? List.of(SshKeys.identity(text(content))) : ageKeys(text(content));
        } catch (AgeFormatException e) {
            throw new AgeFormatException(file + ": " + e.getMessage());
        }
    }

    private static List<Identity> ageKeys(String text) throws AgeFormatException {
        List<Identity> identities = new ArrayList<>();
        for (String line : text.lines().filter(KeyFiles::isKey).toList()) {
            if (line.startsWith("age1") || line.startsWith("ssh-")) {
                throw new AgeFormatException("holds a public key, expected the secret one that belongs to it");
            }
            identities.add(X25519Identity.parse(line.strip()));
        }
        if (identities.isEmpty()) {
            throw new AgeFormatException("holds no secret key: expected AGE-SECRET-KEY-1..., or a secret key of SSH");
        }
        return identities;
    }

    private static boolean isKey(String line) {
        return !line.isBlank() && !line.startsWith("#");
    }

    private static byte[] unseal(byte[] sealed, Path file, Asking asking) throws IOException {
        AgeHeader header = AgeHeader.decode(sealed);
        Passphrase passphrase = asking.ask(file.toString(), false)
                .orElseThrow(() -> new WrongKeyException(file + ": needs a passphrase, and there is no terminal to ask for it"));
        FileKey key = header.open(List.of(passphrase)).orElseThrow(() -> new WrongKeyException(file + ": the passphrase does not open it"));
        SealedContent.Bytes bytes = (position, into) -> into.copyFrom(MemorySegment.ofArray(sealed).asSlice(position, into.byteSize()));
        try (SealedContent content = new SealedContent(header.size(), sealed.length, key, bytes)) {
            byte[] plain = new byte[(int) content.size()];
            content.read(0, MemorySegment.ofArray(plain), bytes);
            return plain;
        }
    }

    private static String text(byte[] content) {
        return new String(content, StandardCharsets.ISO_8859_1);
    }

    private static byte[] read(Path file) throws IOException {
        if (Files.size(file) > MAX_SIZE) {
            throw new AgeFormatException(file + ": " + Files.size(file) + " bytes, a file of keys has at most " + MAX_SIZE);
        }
        return Files.readAllBytes(file);
    }
}
