package varve.verify.source;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.util.function.LongConsumer;

/// Hashes pieces of content as another tool did, and compares.
final class DigestTaker implements ContentStream.Taker {

    private static final int BUFFER = 64 << 10;

    private final PieceList pieces;
    private final LongConsumer progress;
    private final MessageDigest digest;
    private final byte[] buffer = new byte[BUFFER];
    private final byte[] zeros = new byte[BUFFER];
    private final Extents changed = new Extents();
    private final Extents damaged = new Extents();
    private int piece;
    private boolean broken; // some of the piece at hand is missing
    private long compared;

    DigestTaker(PieceList pieces, LongConsumer progress) {
        this.pieces = pieces;
        this.progress = progress;
        this.digest = pieces.algorithm().digest();
    }

    @Override
    public void data(long offset, MemorySegment bytes) {
        walk(offset, bytes.byteSize(), (from, size) -> {
            for (long done = 0; done < size; done += BUFFER) {
                int part = (int) Math.min(BUFFER, size - done);
                MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, from - offset + done, buffer, 0, part);
                digest.update(buffer, 0, part);
            }
        });
    }

    @Override
    public void zeros(long offset, long size) {
        walk(offset, size, (from, length) -> {
            for (long done = 0; done < length; done += BUFFER) {
                digest.update(zeros, 0, (int) Math.min(BUFFER, length - done));
            }
        });
    }

    @Override
    public void missing(long offset, long size, IOException why) {
        damaged.add(offset, size);
        walk(offset, size, (from, length) -> broken = true);
    }

    private interface Update {
        void bytes(long from, long size);
    }

    /// hands out what of some bytes lies in pieces, and ends those that they complete
    private void walk(long offset, long size, Update update) {
        long at = offset;
        long end = offset + size;
        while (piece < pieces.count() && pieces.from(piece) < end) {
            long from = Math.max(at, pieces.from(piece));
            long to = Math.min(end, pieces.to(piece));
            if (from < to) {
                update.bytes(from, to - from);
            }
            if (to < pieces.to(piece)) {
                break; // it goes on
            }
            endPiece(true);
            at = to;
        }
        progress.accept(size);
    }

    /// @param complete whether the content reached its end
    private void endPiece(boolean complete) {
        byte[] found = digest.digest();
        long from = pieces.from(piece);
        long to = pieces.to(piece);
        if (!broken) {
            compared += to - from;
            if (!complete || !pieces.is(piece, found)) {
                changed.add(from, to - from);
            }
        }
        broken = false;
        piece++;
    }

    /// Takes the end of the content: what lists say of bytes behind it differs.
    void finish() {
        while (piece < pieces.count()) {
            endPiece(false);
        }
    }

    /// {@return pieces that differ}
    Extents changed() {
        return changed;
    }

    /// {@return what could not be read}
    Extents damaged() {
        return damaged;
    }

    /// {@return bytes in pieces that were compared}
    long compared() {
        return compared;
    }
}
