package varve.verify.source;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.hash.TreeMerge;

/// The root of a device out of its nodes, of which there may be any number: FORMAT.md section 3.
public final class Root {

    private final TreeMerge merge = new TreeMerge();
    private long nodes;
    private @Nullable Hash last;

    /// @throws IllegalArgumentException if there is no such node here
    /// @throws IllegalStateException if the node before can only have been the last one
    public void add(Hash hash, long size) {
        merge.add(hash, size);
        nodes++;
        last = hash;
    }

    public long size() {
        return merge.size();
    }

    /// {@return the root: the hash of the only node is it already, and a device of no bytes has none}
    public Hash value() {
        if (last == null) {
            return new SubtreeHasher().whole(MemorySegment.ofArray(new byte[0]));
        }
        return nodes == 1 ? last : merge.root();
    }
}
