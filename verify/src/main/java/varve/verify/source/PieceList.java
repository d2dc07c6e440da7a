package varve.verify.source;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.stream.IntStream;

/// Hashes of pieces of a device by one algorithm, by offset: they do not overlap, and may leave gaps.
final class PieceList {

    /// pieces that are read: 4 TiB in pieces of 1 MiB
    static final int MOST = 4 << 20;

    private final Algorithm algorithm;
    private final int width;
    private long[] from = new long[64];
    private long[] to = new long[64];
    private byte[] digests;
    private int count;
    private boolean ascending = true;

    PieceList(Algorithm algorithm) {
        this.algorithm = algorithm;
        this.width = algorithm.digest().getDigestLength();
        this.digests = new byte[64 * width];
    }

    Algorithm algorithm() {
        return algorithm;
    }

    int count() {
        return count;
    }

    long from(int piece) {
        return from[piece];
    }

    long to(int piece) {
        return to[piece];
    }

    boolean is(int piece, byte[] digest) {
        return Arrays.equals(digests, piece * width, (piece + 1) * width, digest, 0, width);
    }

    void add(long first, long end, String digest) {
        if (count == from.length) {
            from = Arrays.copyOf(from, 2 * count);
            to = Arrays.copyOf(to, 2 * count);
            digests = Arrays.copyOf(digests, 2 * count * width);
        }
        ascending &= count == 0 || first >= to[count - 1];
        from[count] = first;
        to[count] = end;
        System.arraycopy(HexFormat.of().parseHex(digest), 0, digests, count * width, width);
        count++;
    }

    /// Puts the pieces in order: tools that use several threads write them as they come.
    ///
    /// @throws DamagedListException if some overlap
    void sort(String where) throws DamagedListException {
        if (ascending) {
            return;
        }
        int[] order = IntStream.range(0, count).boxed().sorted(Comparator.comparingLong(i -> from[i])).mapToInt(Integer::intValue).toArray();
        long[] sortedFrom = new long[count];
        long[] sortedTo = new long[count];
        byte[] sortedDigests = new byte[count * width];
        for (int i = 0; i < count; i++) {
            sortedFrom[i] = from[order[i]];
            sortedTo[i] = to[order[i]];
            System.arraycopy(digests, order[i] * width, sortedDigests, i * width, width);
            if (i > 0 && sortedFrom[i] < sortedTo[i - 1]) {
                throw new DamagedListException(where + ": pieces that overlap at " + sortedFrom[i]);
            }
        }
        from = sortedFrom;
        to = sortedTo;
        digests = sortedDigests;
        ascending = true;
    }
}
