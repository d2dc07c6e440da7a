package varve.archive.sign;

import java.io.Console;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.bouncycastle.math.ec.rfc8032.Ed25519;
import org.jspecify.annotations.Nullable;
import varve.archive.file.Folder;

/// Whom a run believes, and what it signs with.
///
/// The key is opened when something is signed for the first time, so that nobody is asked for its password in vain. Safe for use
/// by several threads.
public final class Signing {

    /// believes nobody and signs nothing
    public static final Signing NONE = new Signing(Trust.NONE, Optional.empty(), Optional::empty);

    private final Optional<Path> file;
    private final SecretKey.Password password;
    private @Nullable Trust trust; // null until it is needed, and then that of the host
    private @Nullable SecretKey key;

    /// @param file of the secret key
    public Signing(Trust trust, Optional<Path> file, SecretKey.Password password) {
        this(file, password);
        this.trust = trust;
    }

    private Signing(Optional<Path> file, SecretKey.Password password) {
        this.file = file;
        this.password = password;
    }

    /// {@return what the environment says: [Trust#file], the secret key in the file that `VARVE_SIGN_KEY` names or in the credential
    /// `varve.sign-key` of systemd, its password in the file that `VARVE_SIGN_PASSWORD_FILE` names or from whoever sits at the terminal}
    public static Signing ofHost() {
        return Host.SIGNING;
    }

    /// once for the process, so that nobody is asked twice
    private static final class Host {
        private static final Signing SIGNING = new Signing(keyOfHost(), Signing::askPassword);

        static {
            if (SIGNING.signs() || Files.exists(Trust.file())) { // the first signature needs tables that take a while to make
                Thread.ofPlatform().name("signing warm-up").daemon().start(Ed25519::precompute);
            }
        }
    }

    private static Optional<Path> keyOfHost() {
        Optional<Path> named = Optional.ofNullable(System.getenv("VARVE_SIGN_KEY")).filter(name -> !name.isEmpty()).map(Path::of);
        return named.or(() -> Optional.ofNullable(System.getenv("CREDENTIALS_DIRECTORY"))
                .map(folder -> Path.of(folder, "varve.sign-key"))
                .filter(Files::exists));
    }

    /// {@return whom it believes}
    /// @throws UntrustedException if the file that says so is not understood
    public synchronized Trust trust() throws IOException {
        if (trust == null) {
            trust = Trust.ofHost();
        }
        return trust;
    }

    /// {@return whether there is a key to sign with}
    public boolean signs() {
        return file.isPresent();
    }

    /// {@return the key to sign with, if one was named}
    /// @throws WrongPasswordException if it cannot be opened
    /// @throws IOException if it cannot be read, or is none
    public synchronized Optional<SecretKey> key() throws IOException {
        if (key == null && file.isPresent()) {
            key = open(file.get(), password);
        }
        return Optional.ofNullable(key);
    }

    /// Opens the file of a secret key.
    ///
    /// @throws WrongPasswordException if it cannot be opened
    public static SecretKey open(Path file, SecretKey.Password password) throws IOException {
        try {
            return SecretKey.parse(Folder.read(file, SecretKey.MAX_SIZE), password);
        } catch (WrongPasswordException e) {
            throw new WrongPasswordException(file + ": " + e.getMessage());
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    /// Asks for the password of a secret key: the file that `VARVE_SIGN_PASSWORD_FILE` names, or whoever sits at the terminal.
    public static Optional<char[]> askPassword() {
        String name = System.getenv("VARVE_SIGN_PASSWORD_FILE");
        if (name != null && !name.isEmpty()) {
            try {
                return Optional.of(Files.readString(Path.of(name), StandardCharsets.UTF_8).lines().findFirst().orElse("").toCharArray());
            } catch (IOException e) {
                return Optional.empty();
            }
        }
        Console console = System.console();
        return console == null || !console.isTerminal() ? Optional.empty() : Optional.ofNullable(console.readPassword("Password of the signing key: "));
    }
}
