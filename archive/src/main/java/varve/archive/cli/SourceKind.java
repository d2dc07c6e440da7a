package varve.archive.cli;

import java.io.IOException;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import varve.archive.Branch;
import varve.archive.vault.Vault;

/// A kind of source that another module knows how to open: `WORD:NAME` instead of a device or file. Named as a service of its
/// module in `module-info.java` and in `META-INF/services/varve.archive.cli.SourceKind`.
public interface SourceKind {

    /// {@return what stands before the colon}
    String word();

    /// {@return the volume that a source belongs to}
    ///
    /// @param name what stands behind the colon
    String volume(String name) throws IOException;

    /// Opens a source.
    ///
    /// @param vault that has the point it began with
    Branch open(String name, Vault vault, Consumer<String> warnings) throws IOException;

    /// {@return the kind that a source on the command line is of, if it is no device or file}
    static Optional<SourceKind> of(String source) {
        int colon = source.indexOf(':');
        return colon < 0
                ? Optional.empty()
                : ServiceLoader.load(SourceKind.class).stream()
                        .map(ServiceLoader.Provider::get)
                        .filter(kind -> kind.word().equals(source.substring(0, colon)))
                        .findFirst();
    }

    /// {@return what stands behind the colon of a source of this kind}
    default String name(String source) {
        return source.substring(word().length() + 1);
    }
}
