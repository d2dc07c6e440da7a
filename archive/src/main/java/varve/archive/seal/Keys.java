package varve.archive.seal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The secret keys at hand. Their files are read, and passphrases asked for, when something sealed is met that needs them.
///
/// Safe for use by several threads.
public final class Keys {

    /// nothing that is sealed can be read
    public static final Keys NONE = new Keys(List.of(), (what, anew) -> Optional.empty());

    private static final int MOST_REMEMBERED = 1024;

    private final List<Path> files;
    private final KeyFiles.Asking asking;
    private final Map<ByteBuffer, FileKey> opened = new LinkedHashMap<>(); // by header: files are opened more than once
    private @Nullable List<Identity> identities;
    private @Nullable Passphrase passphrase;

    /// @param files with secret keys
    /// @param asking for passphrases
    public Keys(List<Path> files, KeyFiles.Asking asking) {
        this.files = List.copyOf(files);
        this.asking = asking;
    }

    /// {@return whether somebody gave a secret key}
    public boolean given() {
        return !files.isEmpty() || passphrase != null;
    }

    /// {@return the file key of a sealed file}
    ///
    /// @param where the file, for messages
    /// @throws WrongKeyException if no key at hand opens it, or the file of a key cannot be read
    /// @throws AgeFormatException if the header was altered
    public synchronized FileKey open(AgeHeader header, String where) throws AgeFormatException, WrongKeyException {
        ByteBuffer text = ByteBuffer.wrap(header.encode());
        FileKey known = opened.get(text);
        if (known != null) {
            return known;
        }
        FileKey key = header.kinds().equals(List.of(Passphrase.KIND)) ? openWithPassphrase(header, where) : openWithKeys(header, where);
        if (opened.size() == MOST_REMEMBERED) {
            opened.remove(opened.keySet().iterator().next());
        }
        opened.put(text, key);
        return key;
    }

    private FileKey openWithKeys(AgeHeader header, String where) throws AgeFormatException, WrongKeyException {
        String without = files.isEmpty() ? "no key was given" : "none of the keys in " + names() + " opens it";
        return header.open(identities()).orElseThrow(() -> new WrongKeyException(where + ": is sealed, and " + without + "; it is for "
                + header.recipients() + (header.recipients() == 1 ? " key" : " keys") + " (" + String.join(", ", header.kinds())
                + "): give the file of a secret one with --identity or as VARVE_IDENTITY"));
    }

    private String names() {
        return files.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    private FileKey openWithPassphrase(AgeHeader header, String where) throws AgeFormatException, WrongKeyException {
        Passphrase said = passphrase != null ? passphrase : ask(where, false);
        FileKey key = header.open(List.of(said)).orElseThrow(() -> new WrongKeyException(where + ": the passphrase does not open it"));
        passphrase = said;
        return key;
    }

    private Passphrase ask(String what, boolean anew) throws WrongKeyException {
        try {
            return asking.ask(what, anew).orElseThrow(() -> new WrongKeyException(what + ": needs a passphrase, and there is no terminal to ask for it"));
        } catch (WrongKeyException e) {
            throw e;
        } catch (IOException e) {
            throw new WrongKeyException(what + ": needs a passphrase: " + e.getMessage());
        }
    }

    /// {@return the passphrase to seal with: one that has opened something, or a new one}
    public synchronized Passphrase passphraseToSeal() throws WrongKeyException {
        if (passphrase == null) {
            passphrase = ask("the archive", true);
        }
        return passphrase;
    }

    private List<Identity> identities() throws WrongKeyException {
        if (identities == null) {
            List<Identity> found = new ArrayList<>();
            for (Path file : files) {
                try {
                    found.addAll(KeyFiles.identities(file, asking));
                } catch (WrongKeyException e) {
                    throw e;
                } catch (NoSuchFileException e) {
                    throw new WrongKeyException(file + ": no such file; it should hold the secret key");
                } catch (AgeFormatException e) {
                    throw new WrongKeyException(String.valueOf(e.getMessage()));
                } catch (IOException e) {
                    throw new WrongKeyException(file + ": cannot be read: " + e.getMessage());
                }
            }
            identities = found;
        }
        return identities;
    }
}
