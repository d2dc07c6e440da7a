package varve.verify.source;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import varve.archive.hash.Hash;
import varve.archive.hash.TreeMerge;

/// The nodes of a device as hashes of units of one size, larger or smaller than its chunks were: hashes of neighbours combine
/// (FORMAT.md section 3), and zeros are zeros however they were cut.
final class HashUnits {

    private final Source nodes;
    private final int unitLog;
    private final long size;
    private HashList.@Nullable Entry node;
    private long offset;

    /// Hands out the nodes of a device, in order; null at the end.
    interface Source {
        HashList.@Nullable Entry next() throws IOException;
    }

    /// @param hash null of zeros
    record Unit(long offset, long size, @Nullable Hash hash) {
        boolean same(Unit other) {
            return size == other.size && (hash == null ? other.hash == null : hash.equals(other.hash));
        }
    }

    /// @param unitLog at least the chunk size of the nodes
    /// @param size of the device, of more than one node
    HashUnits(Source nodes, int unitLog, long size) {
        this.nodes = nodes;
        this.unitLog = unitLog;
        this.size = size;
    }

    /// {@return the next unit, or null at the end}
    @Nullable Unit next() throws IOException {
        if (offset >= size) {
            return null;
        }
        long start = offset;
        long end = Math.min(size, start + (1L << unitLog));
        look();
        if (node != null && node.zero() && node.end() >= end) {
            offset = end;
            return new Unit(start, end - start, null);
        }
        TreeMerge merge = new TreeMerge();
        boolean zero = true;
        while (offset < end) {
            look();
            if (node == null) {
                throw new IllegalStateException("nodes end at " + offset + " of " + size);
            }
            merge.add(node.hash(), node.size());
            zero &= node.zero();
            offset = node.end();
        }
        return new Unit(start, end - start, zero ? null : merge.value());
    }

    private void look() throws IOException {
        while (node == null || node.end() <= offset) {
            node = nodes.next();
            if (node == null) {
                return;
            }
        }
    }
}
