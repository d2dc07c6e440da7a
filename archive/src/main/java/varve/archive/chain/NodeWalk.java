package varve.archive.chain;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.file.Index;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// Walks the nodes of the device as it was when the newest of some layers was made, from the first chunk to the last.
///
/// Nodes of older layers count as far as no newer layer lists their chunks. A delta lists the rest of a zero node of its parent of which
/// it replaces a part; but it may be read on top of archives that cut the same zeros differently, since several paths lead to
/// one state. So a zero node that is left in part, or that is no subtree of the device any more, is cut anew and hashed here
/// (FORMAT.md section 5.2).
final class NodeWalk {

    private final String where;
    private final ChainCursor cursor;
    private final Geometry geometry;
    private final NavigableMap<Long, Chain.Found> cut;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final Deque<Chain.Found> pieces = new ArrayDeque<>();
    private long chunk;

    /// @param layers the oldest first
    /// @param cut nodes that were cut anew, by first chunk: those of an earlier walk are taken from there, others put there
    /// @param where name of the newest, for messages
    NodeWalk(List<Index> layers, NavigableMap<Long, Chain.Found> cut, String where) {
        this.where = where;
        this.cursor = new ChainCursor(layers);
        this.geometry = layers.getLast().geometry();
        this.cut = cut;
    }

    /// {@return the next node, or null after the last}
    /// @throws CorruptException F031, if no layer lists a chunk
    Chain.@Nullable Found next() throws CorruptException {
        if (pieces.isEmpty() && chunk < geometry.chunks()) {
            step();
        }
        return pieces.poll();
    }

    private void step() throws CorruptException {
        int layer = cursor.advance(chunk);
        if (layer < 0) {
            throw new CorruptException(Rule.F031, where, "no archive lists chunk " + chunk);
        }
        Node node = cursor.node(layer);
        long end = Math.min(cursor.end(layer), geometry.chunks());
        if (!node.zero() || stands(node, end)) {
            pieces.add(new Chain.Found(layer, cursor.row(layer), node));
        } else {
            if (!cut.containsKey(chunk)) {
                cut(layer, node, end);
            }
            pieces.addAll(cut.subMap(chunk, end).values());
        }
        chunk = end;
    }

    private boolean stands(Node node, long end) {
        return node.chunk() == chunk
                && node.end() == end
                && (Long.bitCount(node.count()) == 1 || end == geometry.chunks())
                && (node.count() < geometry.chunks() || geometry.single());
    }

    private void cut(int layer, Node node, long end) {
        for (long at = chunk; at < end; ) {
            long count = geometry.zeroNode(at, end);
            Hash hash = hasher.zeros(geometry.offset(at), geometry.length(at, count));
            Node piece = new Node(at, count, true, node.frame(), node.payloadAt(), node.extent(), hash);
            cut.put(at, new Chain.Found(layer, cursor.row(layer), piece));
            at += count;
        }
    }
}
