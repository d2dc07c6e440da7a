package varve.archive.seal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The secret keys at hand. Their files are read, and passphrases asked for, when something sealed is met that needs them.
///
/// Safe for use by several threads.
public final class Keys {

    /// nothing that is sealed can be read
    public static final Keys NONE = new Keys(List.of(), what -> Optional.empty());

    private final List<Path> files;
    private final KeyFiles.Asking asking;
    private @Nullable List<Identity> identities;
    private @Nullable Passphrase passphrase;

    /// @param files with secret keys
    /// @param asking for passphrases
    public Keys(List<Path> files, KeyFiles.Asking asking) {
        this.files = List.copyOf(files);
        this.asking = asking;
    }

    /// {@return the file key of a sealed file}
    ///
    /// @param where the file, for messages
    /// @throws WrongKeyException if no key at hand opens it
    /// @throws AgeFormatException if the header was altered
    public synchronized FileKey open(AgeHeader header, String where) throws IOException {
        if (header.kinds().equals(List.of(Passphrase.KIND))) {
            return openWithPassphrase(header, where);
        }
        return header.open(identities()).orElseThrow(() -> new WrongKeyException(where + ": is sealed, and "
                + (files.isEmpty() ? "no key was given" : "none of the keys in " + names() + " opens it") + ": give the file of the secret key with --identity or as VARVE_IDENTITY; it is sealed for "
                + header.recipients() + (header.recipients() == 1 ? " key" : " keys") + " of " + String.join(", ", header.kinds())));
    }

    private String names() {
        return files.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    private FileKey openWithPassphrase(AgeHeader header, String where) throws IOException {
        if (passphrase == null) {
            passphrase = asking.ask(where).orElseThrow(() -> new WrongKeyException(
                    where + ": is sealed with a passphrase, and there is no terminal to ask for it"));
        }
        Optional<FileKey> key = header.open(List.of(passphrase));
        if (key.isEmpty()) {
            passphrase = null;
            throw new WrongKeyException(where + ": the passphrase does not open it");
        }
        return key.get();
    }

    private List<Identity> identities() throws IOException {
        if (identities == null) {
            List<Identity> found = new ArrayList<>();
            for (Path file : files) {
                found.addAll(KeyFiles.identities(file, asking));
            }
            identities = found;
        }
        return identities;
    }
}
