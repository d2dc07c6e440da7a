package varve.archive.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import varve.archive.file.Folder;
import varve.archive.format.Manifest;
import varve.archive.sign.PublicKey;
import varve.archive.sign.Signature;
import varve.archive.sign.Trust;
import varve.archive.vault.NotFoundException;

/// `varve trust`: whose signatures this host believes.
@Command(
        name = "trust",
        description = {
            "Say whose signatures this host believes, for which volumes.",
            "",
            "As soon as a key is believed for a volume, whatever of it is not signed by such a key is refused, by every command. The keys lie on this host, in the "
                + "file that VARVE_TRUST names, or in /etc/varve/trust and, for other users than root, ~/.config/varve/trust.",
        },
        subcommands = {TrustVerb.Add.class, TrustVerb.ListKeys.class, TrustVerb.Remove.class})
public final class TrustVerb implements Verb {

    @Override
    public Purpose purpose() {
        return Purpose.TRUST;
    }

    @Override
    public ExitCode run(Stdio stdio) {
        throw new UsageException("what? add, list or remove");
    }

    private static void checkVolume(String volume) {
        if (!volume.equals("*") && !Manifest.isVolumeName(volume)) {
            throw new UsageException("\"" + volume + "\": no name of a volume, and not * for all");
        }
    }

    private static PublicKey key(String text) throws IOException {
        Path file = Path.of(text);
        try {
            return Files.exists(file)
                    ? PublicKey.parse(new String(Folder.read(file, Signature.MAX_SIZE), StandardCharsets.UTF_8))
                    : PublicKey.parse(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException(text + ": neither the file of a public key of minisign nor such a key: " + e.getMessage());
        }
    }

    /// `varve trust add`.
    @Command(name = "add", description = "Believe a key, for one volume or for all.")
    static final class Add implements Verb {
        @Parameters(index = "0", paramLabel = "VOLUME", description = "Name of a volume, or * for all.")
        private String volume = "";

        @Parameters(index = "1", paramLabel = "KEY", description = "A file with the public key, or the key itself, as minisign -P takes it.")
        private String key = "";

        @Override
        public Purpose purpose() {
            return Purpose.TRUST;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            checkVolume(volume);
            Trust.Entry entry = new Trust.Entry(volume, key(key));
            Path file = Trust.file();
            Trust.read(file).with(entry).write(file);
            stdio.out().println("key " + entry.key().id() + " is believed for " + (volume.equals("*") ? "all volumes" : volume) + " (" + file + ")");
            return ExitCode.OK;
        }
    }

    /// `varve trust list`.
    @Command(name = "list", description = "Show which keys are believed.")
    static final class ListKeys implements Verb {
        @Override
        public Purpose purpose() {
            return Purpose.TRUST;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            Table table = new Table("VOLUME", "KEY ID", "PUBLIC KEY");
            Trust.ofHost().entries().forEach(entry -> table.row(entry.volume(), entry.key().id(), entry.key().text()));
            table.print(stdio.out(), "no key is believed on this host");
            return ExitCode.OK;
        }
    }

    /// `varve trust remove`.
    @Command(name = "remove", description = "Believe a key no longer.")
    static final class Remove implements Verb {
        @Parameters(index = "0", paramLabel = "VOLUME", description = "As it was added.")
        private String volume = "";

        @Parameters(index = "1", paramLabel = "KEY", description = "The key id, the key, or its file.")
        private String key = "";

        @Override
        public Purpose purpose() {
            return Purpose.TRUST;
        }

        @Override
        public ExitCode run(Stdio stdio) throws IOException {
            checkVolume(volume);
            Path file = Trust.file();
            Trust trust = Trust.read(file);
            String id = key.matches("[0-9A-F]{16}") ? key : key(key).id();
            List<Trust.Entry> found = trust.entries().stream()
                    .filter(entry -> entry.volume().equals(volume) && entry.key().id().equals(id))
                    .toList();
            if (found.isEmpty()) {
                throw new NotFoundException(file + ": key " + id + " is not believed for " + volume);
            }
            for (Trust.Entry entry : found) {
                trust = trust.without(entry);
            }
            trust.write(file);
            stdio.out().println("key " + id + " is no longer believed for " + (volume.equals("*") ? "all volumes" : volume));
            return ExitCode.OK;
        }
    }
}
