package varve.archive.chain;

import java.io.IOException;
import java.util.BitSet;
import varve.archive.block.Geometry;
import varve.archive.file.Index;
import varve.archive.format.Extent;

/// What differs between two points in time of a volume, from their tables alone: no data file is read.
///
/// Chunks of equal hash are equal. In the others the extents of all archives on which the two chains do not agree are
/// united. So the result holds every block that differs, and may hold blocks that changed and changed back.
public final class Difference {

    private final Chain a;
    private final Chain b;
    private final Geometry from;
    private final Geometry to;
    private final int common;
    private final BitSet blocks = new BitSet();
    private final Visitor visitor;
    private long start = -1;
    private long end;

    /// Takes runs of bytes that may differ, ascending, as long as possible.
    @FunctionalInterface
    public interface Visitor {
        void range(long offset, long size) throws IOException;
    }

    private Difference(Chain a, Chain b, Visitor visitor) {
        this.a = a;
        this.b = b;
        this.from = a.geometry();
        this.to = b.geometry();
        this.visitor = visitor;
        int equal = 0;
        while (equal < a.length() && equal < b.length() && a.archive(equal).equals(b.archive(equal))) {
            equal++;
        }
        this.common = equal;
    }

    /// Visits what differs between the device at `a` and at `b`, up to the larger of the two sizes.
    public static void between(Chain a, Chain b, Visitor visitor) throws IOException {
        new Difference(a, b, visitor).run();
    }

    private void run() throws IOException {
        long both = Math.min(from.chunks(), to.chunks());
        for (long chunk = 0; chunk < both; ) {
            Chain.Found old = a.find(chunk);
            Chain.Found now = b.find(chunk);
            boolean sameLength = from.length(chunk, 1) == to.length(chunk, 1);
            if (sameLength && old.node().zero() && now.node().zero()) {
                // the last chunk of either may differ in length: it is looked at by itself
                chunk = Math.max(chunk + 1, Math.min(Math.min(old.node().end(), now.node().end()), both - 1));
                continue;
            }
            boolean sameKind = from.single() == to.single() && old.node().zero() == now.node().zero();
            if (!sameLength || !sameKind || !old.node().hash().equals(now.node().hash())) {
                changed(chunk);
            }
            chunk++;
        }
        long smaller = Math.min(from.size(), to.size());
        long larger = Math.max(from.size(), to.size());
        add(smaller, larger);
        if (start >= 0) {
            visitor.range(start, end - start);
        }
    }

    private void changed(long chunk) throws IOException {
        blocks.clear();
        unite(a, chunk);
        unite(b, chunk);
        long offset = from.offset(chunk);
        long limit = Math.min(from.size(), to.size());
        for (int i = blocks.nextSetBit(0); i >= 0; ) {
            int last = blocks.nextClearBit(i);
            long begin = offset + ((long) i << Geometry.BLOCK_LOG);
            add(Math.min(begin, limit), Math.min(limit, offset + ((long) last << Geometry.BLOCK_LOG)));
            i = blocks.nextSetBit(last);
        }
    }

    /// the blocks of a chunk that the archives above the common ones hold
    private void unite(Chain chain, long chunk) throws IOException {
        for (int layer = common; layer < chain.length(); layer++) {
            Index index = chain.layer(layer).index();
            long row = index.find(chunk);
            if (row < 0) {
                continue;
            }
            if (index.full()) {
                blocks.set(0, from.blocksPerChunk());
                continue;
            }
            long first = chunk << (from.chunkLog() - Geometry.BLOCK_LOG);
            long end = index.extentEnd(row);
            for (long e = index.node(row).extent(); e < end; e++) {
                Extent extent = index.extent(e);
                long begin = Math.max(0, extent.first() - first);
                long stop = Math.min(from.blocksPerChunk(), extent.end() - first);
                if (begin < stop) {
                    blocks.set((int) begin, (int) stop);
                }
            }
        }
    }

    private void add(long begin, long stop) throws IOException {
        if (begin >= stop) {
            return;
        }
        if (start >= 0 && begin == end) {
            end = stop;
            return;
        }
        if (start >= 0) {
            visitor.range(start, end - start);
        }
        start = begin;
        end = stop;
    }
}
