package varve.verify.source;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Compares the nodes of a device, as they are hashed, with a list of hashes made before.
///
/// The two may be cut differently where there are zeros: zeros are equal to zeros, whatever nodes they are in.
public final class HashComparison implements HashList.Taker {

    private final HashListReader list;
    private final Taker differences;
    private HashList.@Nullable Entry then;
    private boolean begun;
    private long start = -1;
    private long end;
    private long size;
    private long ranges;

    /// Takes runs of bytes that differ, ascending, as long as possible.
    @FunctionalInterface
    public interface Taker {
        void range(long offset, long size) throws IOException;
    }

    public HashComparison(HashListReader list, Taker differences) {
        this.list = list;
        this.differences = differences;
    }

    @Override
    public void take(HashList.Entry now) throws IOException {
        if (!begun) {
            begun = true;
            then = list.next();
        }
        for (long at = now.offset(); at < now.end(); ) {
            while (then != null && then.end() <= at) {
                then = list.next();
            }
            long until = then == null ? now.end() : Math.min(now.end(), then.end());
            if (then == null || !same(now, then)) {
                differ(at, until);
            }
            at = until;
        }
    }

    private static boolean same(HashList.Entry now, HashList.Entry then) {
        return now.zero() && then.zero()
                || now.offset() == then.offset() && now.size() == then.size() && now.hash().equals(then.hash());
    }

    private void differ(long from, long to) throws IOException {
        if (from != end || start < 0) {
            flush();
            start = from;
        }
        end = to;
        size += to - from;
    }

    private void flush() throws IOException {
        if (start >= 0) {
            ranges++;
            differences.range(start, end - start);
        }
    }

    /// Ends the comparison: reads the rest of the list, which is then known to be whole.
    ///
    /// @param deviceSize of the device that was taken; where the list goes on, that differs too
    public void finish(long deviceSize) throws IOException {
        HashList.Entry rest = begun ? then : list.next();
        long listEnd = list.head().state().size();
        while (rest != null) {
            rest = list.next();
        }
        if (listEnd > deviceSize) {
            differ(deviceSize, listEnd);
        }
        flush();
    }

    /// {@return bytes that differ}
    public long size() {
        return size;
    }

    /// {@return how many runs of bytes differ}
    public long ranges() {
        return ranges;
    }
}
