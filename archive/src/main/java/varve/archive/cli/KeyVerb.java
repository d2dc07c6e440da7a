package varve.archive.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.block.RefusedException;
import varve.archive.file.Folder;
import varve.archive.sign.PublicKey;
import varve.archive.sign.SecretKey;
import varve.archive.sign.Signing;

/// `varve key`: keys that sign.
@Command(
        name = "key",
        description = {
            "Make keys that sign, and the sheet for the safe.",
            "",
            "The files are those of minisign, which can make, use and change them as well.",
        },
        subcommands = {KeyVerb.Generate.class, KeyVerb.Print.class})
public final class KeyVerb implements Verb {

    @Override
    public Purpose purpose() {
        return Purpose.TRUST;
    }

    @Override
    public ExitCode run(Stdio stdio) {
        throw new UsageException("what? generate or print");
    }

    /// `varve key generate`.
    @Command(name = "generate",
            description = {"Make a key pair: FILE is the secret key, FILE.pub the public one.", "",
                "The secret key is encrypted with a password: the first line of the file that VARVE_SIGN_PASSWORD_FILE names, or asked for. A job that runs by itself "
                    + "needs --no-password, or that file."})
    static final class Generate implements Verb {
        @Parameters(index = "0", paramLabel = "FILE", description = "Where the secret key goes; nothing may be there.")
        private @Nullable Path file;

        @Option(names = "--no-password", description = "Whoever has the file can sign: keep it where only the job can read it.")
        private boolean open;

        @Override
        public Purpose purpose() {
            return Purpose.TRUST;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            Path secret = file;
            Path open = secret.resolveSibling(secret.getFileName() + ".pub");
            for (Path taken : Set.of(secret, open)) {
                if (Files.exists(taken)) {
                    throw new RefusedException(taken + ": exists; a key is never overwritten");
                }
            }
            Optional<char[]> password = this.open ? Optional.empty() : Optional.of(choose(stdio));
            SecureRandom random = new SecureRandom();
            SecretKey key = SecretKey.generate(random);
            byte[] text = key.file(password, random);
            try {
                Files.createFile(secret, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            } catch (FileAlreadyExistsException e) {
                throw new RefusedException(secret + ": exists; a key is never overwritten");
            }
            Folder.write(secret, text);
            Files.write(open, key.publicKey().file().getBytes(), StandardOpenOption.CREATE_NEW);
            Folder.sync(secret.toAbsolutePath().getParent());
            stdio.out().println("key " + key.publicKey().id());
            stdio.out().println("secret: " + secret + (password.isPresent() ? ", with a password" : ", WITHOUT a password: whoever reads it can sign"));
            stdio.out().println("public: " + open);
            stdio.err().println("next: varve trust add VOLUME " + open + " on each host that verifies; VARVE_SIGN_KEY=" + secret
                    + " for each job that archives; varve key print " + open + " for the safe");
            return ExitCode.OK;
        }

        private static char[] choose(Stdio stdio) {
            char[] first = Signing.askPassword().orElseThrow(() -> new UsageException(
                    "there is nobody to ask for a password: VARVE_SIGN_PASSWORD_FILE has to name a file that has it, or --no-password be given"));
            if (first.length == 0) {
                throw new UsageException("an empty password is none: give --no-password if that is meant");
            }
            if (stdio.person() && System.getenv("VARVE_SIGN_PASSWORD_FILE") == null
                    && !Arrays.equals(first, Signing.askPassword().orElse(new char[0]))) {
                throw new UsageException("the two passwords are not the same");
            }
            return first;
        }
    }

    /// `varve key print`.
    @Command(name = "print",
            description = {"Print a sheet for the safe: what the key is, and how signatures are checked without varve.", "",
                "With a secret key the sheet has that as well; it is as good as the key itself."})
    static final class Print implements Verb {
        @Parameters(index = "0", paramLabel = "FILE", description = "A public or a secret key.")
        private @Nullable Path file;

        @Override
        public Purpose purpose() {
            return Purpose.TRUST;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            byte[] text = Folder.read(file, SecretKey.MAX_SIZE);
            Optional<PublicKey> open = open(text);
            PublicKey key = open.isPresent() ? open.get() : Signing.open(file, Signing::askPassword).publicKey();
            stdio.out().print(KeySheet.of(key, open.isPresent() ? Optional.empty() : Optional.of(new String(text).lines().toList().getLast())));
            return ExitCode.OK;
        }

        private static Optional<PublicKey> open(byte[] text) {
            try {
                return Optional.of(PublicKey.parse(new String(text)));
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }
    }
}
