package varve.archive.changes;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.hash.Hash;

/// The blocks of a device that may have changed since an earlier state, as a set: a bit for each.
///
/// Ranges may be added in any order, overlap, and reach past the end of the device. Of a device of more than 2 TiB a bit
/// stands for more than one block, so that the set takes at most 64 MiB; naming too much costs reading and nothing else.
///
/// Not thread-safe while it is filled; safe to read afterwards.
public final class ChangeList {

    private static final int MAX_BITS_LOG = 29;

    private final long size;
    private final int granuleLog;
    private final long[] words;
    private long outside;
    private @Nullable Hash since;

    /// {@return an empty list for a device of `size` bytes}
    public ChangeList(long size) {
        if (size < 0) {
            throw new IllegalArgumentException("size " + size);
        }
        this.size = size;
        int log = Geometry.BLOCK_LOG;
        while (log < 62 && size >>> log > 1L << MAX_BITS_LOG) {
            log++;
        }
        this.granuleLog = log;
        this.words = new long[(int) ((granules() + 63) >>> 6)];
    }

    /// {@return bytes of the device}
    public long size() {
        return size;
    }

    private long granules() {
        return size == 0 ? 0 : ((size - 1) >>> granuleLog) + 1;
    }

    /// Adds the blocks that a range touches.
    ///
    /// @param offset 0 or more
    /// @param length 0 or more; what lies past the end of the device is left out, and counted
    /// @throws IllegalArgumentException if a number is negative, or the range ends past 2^63 - 1
    public void add(long offset, long length) {
        if (offset < 0 || length < 0 || length > Long.MAX_VALUE - offset) {
            throw new IllegalArgumentException("a range of " + length + " bytes at " + offset);
        }
        long end = Math.min(size, offset + length);
        outside += length - Math.max(0, end - offset);
        if (offset >= end) {
            return;
        }
        set(offset >>> granuleLog, ((end - 1) >>> granuleLog) + 1);
    }

    private void set(long from, long to) {
        int first = (int) (from >>> 6);
        int last = (int) ((to - 1) >>> 6);
        long head = -1L << from;
        long tail = -1L >>> -to;
        if (first == last) {
            words[first] |= head & tail;
            return;
        }
        words[first] |= head;
        Arrays.fill(words, first + 1, last, -1L);
        words[last] |= tail;
    }

    /// {@return the first offset from `offset` on that is listed, or the size}
    public long listedFrom(long offset) {
        return next(offset, 0);
    }

    /// {@return the first offset from `offset` on that is not listed, or the size}
    public long unlistedFrom(long offset) {
        return next(offset, -1L);
    }

    private long next(long offset, long flip) {
        if (offset >= size) {
            return size;
        }
        long granule = offset >>> granuleLog;
        int word = (int) (granule >>> 6);
        long bits = (words[word] ^ flip) & (-1L << granule);
        while (bits == 0) {
            if (++word == words.length) {
                return size;
            }
            bits = words[word] ^ flip;
        }
        long found = (((long) word << 6) + Long.numberOfTrailingZeros(bits)) << granuleLog;
        return Math.min(size, Math.max(offset, found));
    }

    /// {@return bytes of the device that are listed, in whole blocks but at its end}
    public long listedSize() {
        long sum = 0;
        for (long at = listedFrom(0); at < size; ) {
            long end = unlistedFrom(at);
            sum += end - at;
            at = listedFrom(end);
        }
        return sum;
    }

    /// {@return the same of the first `size` bytes of the device, as if the rest were no part of it}
    public ChangeList cut(long size) {
        ChangeList part = new ChangeList(Math.min(size, this.size));
        for (long at = listedFrom(0); at < part.size; ) {
            long end = Math.min(part.size, unlistedFrom(at));
            part.add(at, end - at);
            at = listedFrom(end);
        }
        part.since = since;
        return part;
    }

    /// {@return bytes of ranges that lay past the end of the device}
    public long outside() {
        return outside;
    }

    /// {@return the root of the state that the list starts from, if it says so}
    public Optional<Hash> since() {
        return Optional.ofNullable(since);
    }

    void since(Hash root) {
        since = root;
    }
}
