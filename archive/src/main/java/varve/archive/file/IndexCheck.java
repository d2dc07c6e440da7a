package varve.archive.file;

import varve.archive.block.Geometry;
import varve.archive.codec.ZeroFrame;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Header;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.Summary;

/// Walks both tables once, in step, and checks every rule that they can break by themselves.
///
/// One pass over mapped memory, a few variables: the cost is that of reading the tables, some 64 bytes for each chunk
/// of the archive.
final class IndexCheck {

    private final Index index;
    private final String where;
    private final Summary summary;
    private final Geometry geometry;
    private final long parentSize;

    private long row;
    private long nextChunk;
    private long nextExtent;
    private long ownExtents;
    private long nextBlock;
    private long framesEnd = Header.FRAME_SIZE;
    private long frames;
    private long payloadSize;
    private Node.Frame frame = Node.Frame.NONE;
    private long frameFilled;
    private long runStart = -1;
    private long runNext;
    private boolean runKept;
    private int largestFrame;
    private int largestContent;
    private boolean keepsZeros;

    IndexCheck(Index index, String where) {
        this.index = index;
        this.where = where;
        this.summary = index.summary();
        this.geometry = index.geometry();
        this.parentSize = index.header().parent().size();
    }

    /// {@return what readers want to know beforehand}
    Index.Seen run() throws CorruptException {
        if (index.full() && summary.extents() > 0) {
            throw breach(Rule.F014, summary.extents() + " rows");
        }
        for (row = 0; row < summary.nodes(); row++) {
            Node node = index.node(row);
            place(node);
            long payload = index.full() ? fullPayload(node) : deltaPayload(node);
            frame(node, payload);
            zeroRun(node);
        }
        endZeroRun(nextChunk);
        unlisted(nextChunk, geometry.chunks());
        if (index.full() && nextChunk < geometry.chunks()) {
            throw breach(Rule.F020, "nodes end at chunk " + nextChunk + " of " + geometry.chunks());
        }
        if (nextExtent < summary.extents()) {
            inOrder(index.extent(nextExtent));
            throw breach(Rule.F016, (summary.extents() - nextExtent) + " extents are in no node");
        }
        if (frameFilled != frame.contentSize()) {
            throw breach(Rule.F023, "the last frame holds more than its nodes");
        }
        if (framesEnd != summary.indexPosition()) {
            throw breach(Rule.F023, "frames end at " + framesEnd + ", the index begins at " + summary.indexPosition());
        }
        if (frames != summary.frames() || payloadSize != summary.payloadSize()) {
            throw breach(Rule.F030, frames + " frames of " + payloadSize + " bytes, the summary says " + summary.frames() + " of " + summary.payloadSize());
        }
        return new Index.Seen(largestFrame, largestContent, keepsZeros);
    }

    private void place(Node node) throws CorruptException {
        if (!node.zero() && node.count() != 1) {
            throw breach(Rule.F019, node.count() + " chunks");
        }
        if (node.count() < 1 || node.chunk() < nextChunk || node.end() > geometry.chunks()) {
            throw breach(Rule.F018, "chunks " + node.chunk() + " to " + node.end() + " of " + geometry.chunks() + ", expected from " + nextChunk + " on");
        }
        if (index.full() && node.chunk() != nextChunk) {
            throw breach(Rule.F020, "nothing from chunk " + nextChunk + " to " + node.chunk());
        }
        unlisted(nextChunk, node.chunk());
        nextChunk = node.end();
    }

    /// chunks that a delta does not list must be in the parent, at the same length
    private void unlisted(long chunk, long end) throws CorruptException {
        if (!index.full() && chunk < end) {
            long bytes = Math.min(geometry.size(), end << geometry.chunkLog());
            long inParent = Math.min(parentSize, end << geometry.chunkLog());
            if (bytes != inParent) {
                throw breach(Rule.F025, "chunks " + chunk + " to " + end + " are not listed, the parent has " + parentSize + " bytes");
            }
        }
    }

    private long fullPayload(Node node) throws CorruptException {
        if (node.extent() != 0) {
            throw breach(Rule.F024, "extent row " + node.extent() + " in a full");
        }
        return geometry.length(node.chunk(), node.count());
    }

    /// checks the extents of the node in this row; returns what they need of the payload
    private long deltaPayload(Node node) throws CorruptException {
        long first = node.chunk() << (geometry.chunkLog() - Geometry.BLOCK_LOG);
        long end = Math.min(geometry.blocks(), node.end() << (geometry.chunkLog() - Geometry.BLOCK_LOG));
        long firstRow = nextExtent;
        long payload = 0;
        long covered = first;
        Extent before = null;
        for (; nextExtent < summary.extents(); nextExtent++) {
            Extent extent = index.extent(nextExtent);
            if (extent.first() >= end) {
                break;
            }
            inOrder(extent);
            if (extent.first() < first || extent.end() > end) {
                throw breach(Rule.F016, "blocks " + extent.first() + " to " + extent.end() + ", the node has " + first + " to " + end);
            }
            if (before != null && before.end() == extent.first() && before.data() == extent.data()) {
                throw breach(Rule.F017, "two extents meet at block " + extent.first());
            }
            if (node.zero() && (extent.data() || extent.first() != first || extent.end() != end)) {
                throw breach(Rule.F022, "extent of blocks " + extent.first() + " to " + extent.end());
            }
            kept(covered, extent.first());
            covered = extent.end();
            nextBlock = covered;
            payload += extent.data() ? geometry.blockLength(extent.first(), extent.count()) : 0;
            before = extent;
        }
        if (node.extent() != firstRow) {
            throw breach(Rule.F024, "extent row " + node.extent() + ", expected " + firstRow);
        }
        kept(covered, end);
        ownExtents = nextExtent - firstRow;
        return payload;
    }

    private void inOrder(Extent extent) throws CorruptException {
        if (extent.first() < nextBlock || extent.end() > geometry.blocks()) {
            throw breach(Rule.F015, "blocks " + extent.first() + " to " + extent.end() + " of " + geometry.blocks() + ", expected from " + nextBlock + " on");
        }
    }

    /// blocks that come from the parent must be there, at the same length
    private void kept(long from, long to) throws CorruptException {
        if (from < to) {
            long end = Math.min(geometry.size(), to << Geometry.BLOCK_LOG);
            long inParent = Math.min(parentSize, to << Geometry.BLOCK_LOG);
            if (end != inParent) {
                throw breach(Rule.F025, "blocks " + from + " to " + to + " of a parent of " + parentSize + " bytes");
            }
        }
    }

    private void frame(Node node, long payload) throws CorruptException {
        Node.Frame own = node.frame();
        if (payload == 0) {
            if (!own.equals(Node.Frame.NONE) || node.payloadAt() != 0) {
                throw breach(Rule.F023, "a frame without payload");
            }
            return;
        }
        if (node.payloadAt() == 0) {
            if (frameFilled != frame.contentSize()) {
                throw breach(Rule.F023, "the frame at " + frame.position() + " holds more than its nodes");
            }
            if (own.position() != framesEnd || own.size() == 0) {
                throw breach(Rule.F023, "frame at " + own.position() + ", expected at " + framesEnd);
            }
            frame = own;
            frameFilled = 0;
            framesEnd = own.end();
            frames++;
            payloadSize += own.contentSize();
            if (!node.zero()) {
                largestFrame = Math.max(largestFrame, own.size());
                largestContent = Math.max(largestContent, own.contentSize());
            }
        }
        if (!own.equals(frame) || node.payloadAt() != frameFilled) {
            throw breach(Rule.F023, "payload at " + node.payloadAt() + " of the frame at " + own.position() + ", expected at " + frameFilled + " of that at " + frame.position());
        }
        frameFilled += payload;
        if (frameFilled > frame.contentSize()) {
            throw breach(Rule.F023, "the frame at " + frame.position() + " is too small for its nodes");
        }
        if (index.full() && frameFilled != frame.contentSize()) {
            throw breach(Rule.F023, "the frame at " + frame.position() + " holds more than its node");
        }
        if (index.full() && node.zero() && frame.size() != ZeroFrame.encodedSize(payload)) {
            throw breach(Rule.F011, "zero frame of " + frame.size() + " bytes");
        }
    }

    private void zeroRun(Node node) throws CorruptException {
        boolean kept = !index.full() && ownExtents == 0;
        if (runStart >= 0 && (!node.zero() || node.chunk() != runNext || kept != runKept)) {
            endZeroRun(runNext);
        }
        keepsZeros |= node.zero() && kept;
        if (node.zero()) {
            if (runStart < 0) {
                runStart = row;
                runKept = kept;
            }
            runNext = node.end();
        }
    }

    /// goes over the rows of a zero run again, now that its end is known
    private void endZeroRun(long runEnd) throws CorruptException {
        if (runStart < 0) {
            return;
        }
        long chunk = index.node(runStart).chunk();
        for (long r = runStart; chunk < runEnd; r++) {
            long count = geometry.zeroNode(chunk, runEnd);
            if (index.node(r).count() != count) {
                throw breach(Rule.F021, "zero node of " + index.node(r).count() + " chunks at chunk " + chunk + ", expected " + count);
            }
            chunk += count;
        }
        runStart = -1;
    }

    /// made only when it is thrown: the words cost more than the checks
    private CorruptException breach(Rule rule, String found) {
        return new CorruptException(rule, at(), found);
    }

    private String at() {
        return where + ": node row " + row;
    }
}
