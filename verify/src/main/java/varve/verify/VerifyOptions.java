package varve.verify;

import java.nio.file.Path;
import java.util.Optional;
import varve.archive.vault.Depth;

/// How to verify.
///
/// @param depth how deep
/// @param hashZeros hash zero runs again, too: minutes for each TiB, to prove the hashes that the tables have for them
/// @param threads that read, decode and hash
/// @param fromMedium whether to make sure that bytes come from the medium; if it is not said, they do from a vault that is on
/// another disk than the system
/// @param against what to compare the one point that is asked for with
public record VerifyOptions(
        Depth depth, boolean hashZeros, int threads, Optional<Boolean> fromMedium, Optional<Against> against) {

    /// Something of the outside.
    ///
    /// @param path a device, an image, or a list of hashes
    /// @param name which file of a list
    public record Against(Path path, Optional<String> name) {}

    public VerifyOptions {
        if (depth == Depth.SOURCE && against.isEmpty()) {
            throw new IllegalArgumentException("nothing to compare with");
        }
    }

    public static VerifyOptions of(Depth depth) {
        return new VerifyOptions(depth, false, Runtime.getRuntime().availableProcessors(), Optional.empty(), Optional.empty());
    }
}
