package varve.archive.chain;

import java.util.List;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;

/// Walks the node tables of some layers of a chain in step, from the first chunk to the last: a merge.
///
/// So a pass over the device costs the rows that there are, and a look at each layer for each chunk, instead of a search in each.
final class ChainCursor {

    private final List<Index> indexes;
    private final long[] rows;
    private final long[] starts;
    private final long[] ends;

    /// @param indexes of the layers, the oldest first
    ChainCursor(List<Index> indexes) {
        this.indexes = indexes;
        this.rows = new long[indexes.size()];
        this.starts = new long[indexes.size()];
        this.ends = new long[indexes.size()];
        for (int layer = 0; layer < rows.length; layer++) {
            load(layer);
        }
    }

    /// Moves to a chunk, which must not be before the one of the last call.
    ///
    /// @return the newest layer that lists it, or -1
    int advance(long chunk) {
        return olderThan(rows.length, chunk);
    }

    /// {@return the newest layer before `layer` that lists a chunk, or -1}
    ///
    /// @param chunk not before that of the last [#advance]
    int olderThan(int layer, long chunk) {
        for (int older = layer - 1; older >= 0; older--) {
            if (ends[older] <= chunk) {
                rows[older] = indexes.get(older).rowEndingAfter(chunk, rows[older] + 1);
                load(older);
            }
            if (starts[older] <= chunk) {
                return older;
            }
        }
        return -1;
    }

    /// {@return the first chunk that any layer lists, after an [#advance] that found none; [Long#MAX_VALUE] if there is no more}
    long next() {
        long next = Long.MAX_VALUE;
        for (long start : starts) {
            next = Math.min(next, start);
        }
        return next;
    }

    /// {@return the chunk up to which the node at hand in a layer counts: its end, or where a newer layer lists something}
    ///
    /// @param layer that the last [#advance] gave
    long end(int layer) {
        long end = ends[layer];
        for (int newer = layer + 1; newer < rows.length; newer++) {
            end = Math.min(end, starts[newer]);
        }
        return end;
    }

    /// {@return the row of the node at hand in a layer}
    long row(int layer) {
        return rows[layer];
    }

    /// {@return the node at hand in a layer}
    Node node(int layer) throws CorruptException {
        return indexes.get(layer).node(rows[layer]);
    }

    private void load(int layer) {
        Index index = indexes.get(layer);
        if (rows[layer] < index.nodes()) {
            starts[layer] = index.firstChunk(rows[layer]);
            ends[layer] = index.endChunk(rows[layer]);
        } else {
            starts[layer] = Long.MAX_VALUE;
            ends[layer] = Long.MAX_VALUE;
        }
    }
}
