package varve.mounthelper;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;

/// Where the chunks of an image come from: the archives on one path to it, or, in a salvage, on any of several.
///
/// For one thread. Close it; the chains stay open.
final class Supply implements AutoCloseable {

    private final List<ChainReader> readers = new ArrayList<>();
    private final @Nullable Missing missing;

    /// @param chains that lead to the image, the best first
    /// @param missing takes what none of them has; null if that is an error
    Supply(List<Chain> chains, @Nullable Missing missing) {
        chains.forEach(chain -> readers.add(new ChainReader(chain)));
        this.missing = missing;
    }

    /// Reads a chunk, proved by its hash.
    ///
    /// @return false if it is missing
    boolean read(long chunk, MemorySegment into) throws IOException {
        IOException failure = null;
        for (ChainReader reader : readers) {
            try {
                reader.read(chunk, into);
                return true;
            } catch (IOException e) {
                failure = failure == null ? e : failure;
            }
        }
        IOException why = Objects.requireNonNull(failure); // since there is a chain
        if (missing == null) {
            throw why;
        }
        missing.add(chunk, why);
        return false;
    }

    /// {@return whether a chunk was sought in vain, by any thread}
    boolean misses(long chunk) {
        return missing != null && missing.has(chunk);
    }

    @Override
    public void close() {
        readers.forEach(ChainReader::close);
    }
}
