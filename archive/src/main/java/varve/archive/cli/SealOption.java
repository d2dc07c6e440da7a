package varve.archive.cli;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import varve.archive.seal.AgeFormatException;
import varve.archive.seal.KeyFiles;
import varve.archive.seal.Keys;
import varve.archive.seal.Recipient;
import varve.archive.vault.SealedFor;

/// Whom archives are sealed for: `--recipient`, once or more, or `--passphrase`.
final class SealOption {

    @Option(names = "--recipient", paramLabel = "KEY|FILE",
            description = "Seal for this public key, or those in this file: of age (age1...), or of SSH (ssh-ed25519, ssh-rsa). May be given several times, and holds "
                    + "for the archives to come as well.")
    private List<String> recipients = new ArrayList<>();

    @Option(names = "--passphrase", description = "Seal with a passphrase, which is asked for, this time and each time that the volume is read or added to.")
    private boolean passphrase;

    /// {@return what was asked for}
    List<Recipient> recipients(Keys keys) throws IOException {
        if (passphrase && !recipients.isEmpty()) {
            throw new UsageException("--passphrase: cannot be combined with --recipient");
        }
        if (passphrase) {
            return List.of(keys.passphraseToSeal());
        }
        return parse("--recipient", recipients);
    }

    /// {@return the keys that words name, or that are in the files that they name}
    static List<Recipient> parse(String option, List<String> words) throws IOException {
        List<Recipient> found = new ArrayList<>();
        for (String word : words) {
            try {
                if (word.startsWith("age1") || word.startsWith("ssh-") || word.startsWith("AGE-")) {
                    found.add(Recipient.parse(word));
                } else {
                    found.addAll(KeyFiles.recipients(Path.of(word)));
                }
            } catch (AgeFormatException e) {
                throw new UsageException(option + ": " + e.getMessage());
            } catch (NoSuchFileException e) {
                throw new UsageException(option + " " + word + ": no public key, and no such file");
            }
        }
        try {
            SealedFor.keys(found);
        } catch (IllegalArgumentException e) {
            throw new UsageException(option + ": " + e.getMessage());
        }
        return List.copyOf(found);
    }
}
