package varve.verify.source;

import java.util.ArrayList;
import java.util.List;
import varve.archive.vault.Ranges;

/// Parts of a device, ascending: counted exactly, listed as far as there is room. Those that touch become one.
final class Extents {

    /// listed at most
    static final int MOST = 100_000;

    private final List<Ranges.Range> list = new ArrayList<>();
    private long size;
    private long count;
    private long first = -1;
    private long end;

    /// @param offset not before the end of the last
    void add(long offset, long length) {
        if (length == 0) {
            return;
        }
        size += length;
        if (first >= 0 && offset == end) {
            if (!list.isEmpty() && list.getLast().to() == end) {
                list.add(new Ranges.Range(list.removeLast().from(), offset + length));
            }
        } else {
            count++;
            if (list.size() < MOST) {
                list.add(new Ranges.Range(offset, offset + length));
            }
        }
        first = first < 0 ? offset : first;
        end = offset + length;
    }

    /// {@return bytes in all of them}
    long size() {
        return size;
    }

    /// {@return how many there are, listed or not}
    long count() {
        return count;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /// {@return the offset of the first byte}
    long first() {
        return first;
    }

    /// {@return the offset of the last byte}
    long last() {
        return end - 1;
    }

    /// {@return the first ones}
    List<Ranges.Range> list() {
        return list;
    }
}
