package varve.archive.chain;

import java.util.List;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;

/// Walks the node tables of all layers of a chain in step, from the first chunk to the last: a merge.
///
/// So a pass over the device costs the rows that there are, and a look at each layer for each chunk, instead of a search in each.
final class ChainCursor {

    private final List<Index> indexes;
    private final long[] rows;
    private final long[] starts;
    private final long[] ends;

    /// @param indexes of the layers, full first
    ChainCursor(List<Index> indexes) throws CorruptException {
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
    int advance(long chunk) throws CorruptException {
        for (int layer = rows.length - 1; layer >= 0; layer--) {
            while (ends[layer] <= chunk) {
                rows[layer]++;
                load(layer);
            }
            if (starts[layer] <= chunk) {
                return layer;
            }
        }
        return -1;
    }

    /// {@return the row of the node at hand in a layer}
    long row(int layer) {
        return rows[layer];
    }

    private void load(int layer) throws CorruptException {
        Index index = indexes.get(layer);
        if (rows[layer] < index.nodes()) {
            Node node = index.node(rows[layer]);
            starts[layer] = node.chunk();
            ends[layer] = node.end();
        } else {
            starts[layer] = Long.MAX_VALUE;
            ends[layer] = Long.MAX_VALUE;
        }
    }
}
