package varve.archive;

import java.util.Optional;

/// What to fold, and how.
///
/// @param from name of the point that the new delta applies to; empty for a full
/// @param to name of the point that the new archive leads to
/// @param level of zstd, for what is compressed again
/// @param threads that read, hash and compress
public record ConsolidationOptions(Optional<String> from, String to, int level, int threads) {

    public static ConsolidationOptions delta(String from, String to) {
        return new ConsolidationOptions(
                Optional.of(from), to, ArchiveOptions.DEFAULT_LEVEL, Runtime.getRuntime().availableProcessors());
    }

    public static ConsolidationOptions full(String to) {
        return new ConsolidationOptions(
                Optional.empty(), to, ArchiveOptions.DEFAULT_LEVEL, Runtime.getRuntime().availableProcessors());
    }
}
