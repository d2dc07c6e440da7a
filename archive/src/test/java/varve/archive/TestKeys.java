package varve.archive;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import varve.archive.seal.KeyFiles;
import varve.archive.seal.Keys;
import varve.archive.seal.Recipient;
import varve.testdata.TestFiles;

/// The key of the sealed golden volumes.
public final class TestKeys {

    private TestKeys() {}

    /// {@return the secret key}
    public static Keys secret() {
        return of(TestFiles.identity());
    }

    public static Keys of(Path... files) {
        return new Keys(List.of(files), (what, anew) -> Optional.empty());
    }

    /// {@return whom to seal for}
    public static List<Recipient> recipients() {
        try {
            return List.of(KeyFiles.identities(TestFiles.identity(), (what, anew) -> Optional.empty()).getFirst().recipient());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
