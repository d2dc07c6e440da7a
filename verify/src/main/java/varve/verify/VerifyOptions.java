package varve.verify;

import java.util.Optional;
import varve.archive.vault.Depth;

/// How to verify.
///
/// @param depth how deep
/// @param hashZeros hash zero runs again, too: minutes for each TiB, to prove the hashes that the tables have for them
/// @param threads that read, decode and hash
/// @param fromMedium whether to make sure that bytes come from the medium; if it is not said, they do from a vault that is on
/// another disk than the system
public record VerifyOptions(Depth depth, boolean hashZeros, int threads, Optional<Boolean> fromMedium) {

    public static VerifyOptions of(Depth depth) {
        return new VerifyOptions(depth, false, Runtime.getRuntime().availableProcessors(), Optional.empty());
    }
}
