package varve.archive.hash;

import java.util.ArrayList;
import java.util.List;

/// Merges the chaining values of subtrees, added in device order, into the root of the device.
///
/// Works as an addition of binary numbers does: what is not merged yet are complete subtrees of ever smaller size, so
/// at most one for each bit of the device's size. Two of equal size are merged only when something comes after
/// them; they might have been the last pair, whose parent is the root and hashes differently.
///
/// Not thread-safe.
public final class TreeMerge {
    private record Subtree(Hash value, long size) {}

    private final List<Subtree> open = new ArrayList<>();
    private long size;

    /// Begins at the start of a device.
    public TreeMerge() {}

    /// Adds the next subtree. Its offset is the sum of the sizes before it.
    ///
    /// @param size in bytes, at least 1. A subtree that is not the last one is a power of two of at least 1 KiB; all
    ///     lie at a multiple of their size, rounded up to a power of two.
    /// @throws IllegalArgumentException if there is no such subtree
    /// @throws IllegalStateException if the subtree before can only have been the last one
    public void add(Hash value, long size) {
        if (!open.isEmpty() && !complete(open.getLast().size())) {
            throw new IllegalStateException(
                    "a subtree of " + open.getLast().size() + " bytes is the last of its device");
        }
        SubtreeHasher.check(this.size, size);
        while (open.size() > 1 && open.getLast().size() == open.get(open.size() - 2).size()) {
            Subtree right = open.removeLast();
            Subtree left = open.removeLast();
            open.add(new Subtree(Compression.parent(left.value(), right.value(), 0), 2 * left.size()));
        }
        open.add(new Subtree(value, size));
        this.size += size;
    }

    private static boolean complete(long size) {
        return size >= Compression.LEAF && Long.bitCount(size) == 1;
    }

    /// {@return the sum of the sizes so far, in bytes}
    public long size() {
        return size;
    }

    /// {@return the root of a device that consists of the subtrees so far}
    ///
    /// @throws IllegalStateException if there are less than two: the root of a single subtree cannot be told from its
    ///     chaining value
    public Hash root() {
        if (open.size() < 2) {
            throw new IllegalStateException(
                    "the root of " + open.size() + " subtrees cannot be told from their values");
        }
        return Compression.parent(open.getFirst().value(), fold(1), Compression.ROOT);
    }

    /// {@return the chaining value of the subtrees so far, as part of something larger}
    ///
    /// @throws IllegalStateException if there are none
    public Hash value() {
        if (open.isEmpty()) {
            throw new IllegalStateException("no subtrees have no value");
        }
        return fold(0);
    }

    private Hash fold(int first) {
        Hash value = open.getLast().value();
        for (int i = open.size() - 2; i >= first; i--) {
            value = Compression.parent(open.get(i).value(), value, 0);
        }
        return value;
    }
}
