package varve.archive;

import varve.archive.block.Feed;
import varve.archive.block.Geometry;
import varve.archive.changes.ChangeList;

/// The chunks of a device that a change list does not touch, and that the parent has at the same length: if the list is
/// right, they are as in the parent.
final class Unlisted implements Feed.Same {

    private final ChangeList list;
    private final int chunkLog;
    private final long end;

    /// @param parent geometry of the device when the list starts
    Unlisted(ChangeList list, Geometry parent) {
        this.list = list;
        this.chunkLog = parent.chunkLog();
        Geometry now = new Geometry(list.size(), chunkLog);
        long common = Math.min(now.size(), parent.size());
        if (now.size() == parent.size()) {
            this.end = common;
        } else {
            // where a device of one chunk becomes one of several, or the reverse, the hash of its only chunk is another
            this.end = now.single() || parent.single() ? 0 : common >>> chunkLog << chunkLog;
        }
    }

    @Override
    public long until(long offset) {
        long listed = list.listedFrom(offset);
        return Math.max(offset, Math.min(end, listed == list.size() ? listed : listed >>> chunkLog << chunkLog));
    }

    @Override
    public long from(long offset) {
        for (long at = offset; at < end; ) {
            long chunk = (list.unlistedFrom(at) + (1L << chunkLog) - 1) >>> chunkLog << chunkLog;
            if (until(chunk) > chunk) {
                return chunk;
            }
            at = Math.max(chunk, list.listedFrom(chunk)) + 1;
        }
        return Long.MAX_VALUE;
    }

    /// {@return whether a chunk is one of them}
    boolean has(long chunk) {
        long offset = chunk << chunkLog;
        return offset < end && until(offset) > offset;
    }

    /// {@return the end of the chunks at the beginning of the device that the parent has at the same length}
    long end() {
        return end;
    }

    ChangeList list() {
        return list;
    }
}
