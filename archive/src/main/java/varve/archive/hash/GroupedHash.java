package varve.archive.hash;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// The running hash of a stream or file whose size shows only at its end, and on the way the hash of each group: an
/// aligned power-of-two piece of it, the last one shorter.
///
/// A group's hash is its chaining value. But if there is only one group, it is the root, which hashes differently; so
/// a full first group is kept back until there is more. Memory: one group, then O(log n).
///
/// Not thread-safe.
public final class GroupedHash {
    private final int groupSize;
    private final Consumer<Hash> groups;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final TreeMerge merge = new TreeMerge();
    private final MemorySegment group;
    private int filled;
    private boolean ended;

    /// @param groupSizeLog2 10 to 30
    /// @param groups takes the hash of each group, in order
    public GroupedHash(int groupSizeLog2, Consumer<Hash> groups) {
        if (groupSizeLog2 < 10 || groupSizeLog2 > 30) {
            throw new IllegalArgumentException("groups of 2^" + groupSizeLog2 + " bytes");
        }
        this.groupSize = 1 << groupSizeLog2;
        this.groups = groups;
        this.group = MemorySegment.ofArray(new byte[groupSize]);
    }

    /// {@return how many bytes there have been so far}
    public long size() {
        return merge.size() + filled;
    }

    /// Adds what comes next, of any size.
    public void update(MemorySegment data) {
        if (ended) {
            throw new IllegalStateException("the hash has been taken");
        }
        long size = data.byteSize();
        for (long at = 0; at < size; ) {
            if (filled == groupSize) {
                flush();
            }
            if (filled == 0 && merge.size() > 0 && size - at >= groupSize) {
                add(data.asSlice(at, groupSize));
                at += groupSize;
            } else {
                long part = Math.min(groupSize - filled, size - at);
                MemorySegment.copy(data, JAVA_BYTE, at, group, JAVA_BYTE, filled, part);
                filled += (int) part;
                at += part;
            }
        }
    }

    private void flush() {
        add(group.asSlice(0, filled));
        filled = 0;
    }

    private void add(MemorySegment next) {
        Hash value = hasher.subtree(next, merge.size());
        groups.accept(value);
        merge.add(value, next.byteSize());
    }

    /// {@return the root of all there has been: its plain BLAKE3} Ends the last group; no bytes at all are one group.
    /// To be called once.
    public Hash root() {
        if (ended) {
            throw new IllegalStateException("the hash has been taken");
        }
        if (merge.size() == 0) {
            ended = true;
            Hash root = hasher.whole(group.asSlice(0, filled));
            groups.accept(root);
            return root;
        }
        if (filled > 0) {
            flush();
        }
        ended = true;
        return merge.root();
    }
}
