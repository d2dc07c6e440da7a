package varve.archive.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.seal.Keys;
import varve.archive.vault.Vault;

/// The secret keys that sealed archives are read with: `--identity FILE`, once or more, or what environment and service manager give. A passphrase
/// is asked for when something turns out to need one.
public final class KeysOption {

    private static final String IDENTITY = "varve.identity";
    private static final String PASSPHRASE = "varve.passphrase";

    @Option(names = "--identity", paramLabel = "FILE",
            description = "A file with secret keys, to read what is sealed: of age, or an SSH key. May be given several times. Default: "
                    + "VARVE_IDENTITY in the environment, or the systemd credential varve.identity.")
    private List<Path> files = new ArrayList<>();

    private @Nullable Keys keys;

    /// {@return the keys, always the same, so that a passphrase is asked for once; nothing is read yet}
    Keys keys() {
        if (keys == null) {
            keys = new Keys(files(), new PassphraseQuestion(credential(PASSPHRASE)));
        }
        return keys;
    }

    /// {@return the files that were given, or are there by default}
    public List<Path> files() {
        List<Path> all = new ArrayList<>(files);
        String named = System.getenv("VARVE_IDENTITY");
        if (all.isEmpty() && named != null && !named.isEmpty()) {
            all.add(Path.of(named));
        }
        if (all.isEmpty()) {
            credential(IDENTITY).ifPresent(all::add);
        }
        return all;
    }

    private static Optional<Path> credential(String name) {
        @Nullable String folder = System.getenv("CREDENTIALS_DIRECTORY");
        return Optional.ofNullable(folder).map(it -> Path.of(it, name)).filter(Files::exists);
    }

    /// {@return a vault whose sealed archives can be read with these}
    public Vault open(Vault vault) {
        return vault.with(keys());
    }

    /// {@return vaults likewise}
    public List<Vault> open(List<Vault> vaults) {
        return vaults.stream().map(this::open).toList();
    }
}
