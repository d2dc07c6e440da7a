package varve.archive.file;

import java.util.Optional;
import varve.archive.format.Manifest;

/// Makes the signatures that lie beside manifests.
@FunctionalInterface
public interface Signer {

    /// signs nothing
    Signer NONE = manifest -> Optional.empty();

    /// {@return the text of a signature of a manifest, or nothing if it is not to be signed}
    Optional<byte[]> sign(Manifest manifest);
}
