package varve.archive;

import java.util.Optional;
import varve.archive.retention.Retention;

/// How to expire.
///
/// @param policy instead of the one that is stored with the volume
/// @param minCopies proved copies that each kept point has to have in the end, in whichever vaults
/// @param threads that read, hash and compress
public record ExpiryOptions(Optional<Retention> policy, int minCopies, int threads) {

    public ExpiryOptions {
        if (minCopies < 1) {
            throw new IllegalArgumentException(minCopies + " copies");
        }
    }
}
