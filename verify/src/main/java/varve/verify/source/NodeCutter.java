package varve.verify.source;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import varve.archive.block.Geometry;
import varve.archive.hash.TreeMerge;

/// Turns zeros, in whatever parts they were hashed, into the nodes that FORMAT.md F021 demands.
///
/// How a zero run is cut depends on where it ends, so parts wait until nothing that comes can change their node. Each part
/// is an aligned subtree, and so is each node: the parts of a node combine to its hash.
final class NodeCutter {

    private final int chunkLog;
    private final HashList.Taker out;
    private final Deque<HashList.Entry> parts = new ArrayDeque<>(); // of the zero run at hand, without a gap
    private long runEnd;

    NodeCutter(int chunkLog, HashList.Taker out) {
        this.chunkLog = chunkLog;
        this.out = out;
    }

    /// Takes the next part or node.
    ///
    /// @param knownSize of the device, at least one byte more than what was taken, unless that was all
    void take(HashList.Entry entry, long knownSize) throws IOException {
        if (entry.zero()) {
            parts.add(entry);
            runEnd = entry.end();
            cut(new Geometry(knownSize, chunkLog), false);
        } else {
            cut(new Geometry(knownSize, chunkLog), true);
            out.take(entry);
        }
    }

    /// @param size of the device
    void finish(long size) throws IOException {
        cut(new Geometry(size, chunkLog), true);
    }

    /// @param ended whether the run ends here
    private void cut(Geometry geometry, boolean ended) throws IOException {
        long end = (runEnd + geometry.chunkSize() - 1) >>> chunkLog;
        while (!parts.isEmpty()) {
            long chunk = parts.getFirst().offset() >>> chunkLog;
            long most = most(chunk);
            if (!ended && (chunk + most > end || most >= geometry.chunks())) {
                return; // it may still become part of a larger node
            }
            node(geometry.length(chunk, geometry.zeroNode(chunk, end)));
        }
    }

    /// the most chunks that a zero node at `chunk` can ever have
    private long most(long chunk) {
        long most = Math.max(1, Geometry.MAX_ZERO_NODE >>> chunkLog);
        return chunk == 0 ? most : Math.min(most, Long.lowestOneBit(chunk));
    }

    private void node(long size) throws IOException {
        HashList.Entry first = parts.remove();
        if (first.size() == size) {
            out.take(first);
            return;
        }
        TreeMerge merge = new TreeMerge();
        merge.add(first.hash(), first.size());
        while (merge.size() < size) {
            HashList.Entry part = parts.remove();
            merge.add(part.hash(), part.size());
        }
        out.take(new HashList.Entry(first.offset(), size, merge.value(), true));
    }
}
