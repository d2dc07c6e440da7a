package varve.verify;

import varve.archive.vault.Depth;

/// How to verify.
///
/// @param depth how deep
/// @param hashZeros hash zero runs again, too: minutes for each TiB, to prove the hashes that the tables have for them
/// @param threads that read, decode and hash
public record VerifyOptions(Depth depth, boolean hashZeros, int threads) {

    public static VerifyOptions of(Depth depth) {
        return new VerifyOptions(depth, false, Runtime.getRuntime().availableProcessors());
    }
}
