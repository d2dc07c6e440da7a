package varve.mounthelper;

import java.io.IOException;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.vault.Ranges;

/// The chunks of an image that are not to be had from anywhere: what a salvage leaves as zeros. A bit of memory for each chunk.
///
/// Safe for use by several threads.
final class Missing {

    private final Geometry geometry;
    private final BitSet chunks = new BitSet();
    private @Nullable IOException first;

    Missing(Geometry geometry) {
        this.geometry = geometry;
    }

    synchronized void add(long chunk, IOException why) {
        chunks.set(Math.toIntExact(chunk));
        first = first == null ? why : first;
    }

    synchronized boolean has(long chunk) {
        return chunks.get((int) chunk);
    }

    /// {@return why the first of them is missing, as far as any is}
    synchronized @Nullable IOException first() {
        return first;
    }

    /// {@return what they are of the image, in bytes}
    synchronized Ranges ranges() {
        Ranges.Builder ranges = new Ranges.Builder(false);
        for (int from = chunks.nextSetBit(0); from >= 0; ) {
            int end = chunks.nextClearBit(from);
            ranges.add(geometry.offset(from), geometry.offset(from) + geometry.length(from, end - from));
            from = chunks.nextSetBit(end);
        }
        return ranges.build();
    }
}
