package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import varve.archive.codec.ZeroFrame;
import varve.archive.format.CorruptException;
import varve.archive.format.Header;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.Summary;

/// What of a data file follows from its tables: the header, the frames of zero nodes, the index region and the seek table; all but the
/// frames of data nodes. So none of it is lost as long as the tables are there.
public final class Skeleton {

    private final Index index;
    private final Summary summary;
    private final long tablesEnd;

    /// @param index outlives the skeleton
    /// @throws CorruptException if tables and manifest do not agree on the size of the file
    public Skeleton(Index index, Manifest manifest) throws CorruptException {
        this.index = index;
        this.summary = index.summary();
        this.tablesEnd = summary.indexPosition() + summary.indexSize();
        long size = tablesEnd + SeekTable.size(summary);
        if (size != manifest.contentSize()) {
            throw new CorruptException(Rule.F013, manifest.dataName(), "expected " + size + " bytes, the manifest says " + manifest.contentSize());
        }
    }

    /// Writes what is known of a part of the file into its place; the rest stays as it is.
    ///
    /// @param position of the part in the file
    public void put(long position, MemorySegment into) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            if (position < Header.FRAME_SIZE) {
                MemorySegment frame = arena.allocate(Header.FRAME_SIZE, 8);
                index.header().encode(frame);
                put(frame, 0, position, into);
            }
            if (index.full()) {
                putZeroFrames(position, into, arena);
            }
            putTables(position, into);
            if (position + into.byteSize() > tablesEnd) {
                long[] at = {tablesEnd};
                SeekTable.write(index, piece -> {
                    put(piece, at[0], position, into);
                    at[0] += piece.byteSize();
                });
            }
        }
    }

    private void putZeroFrames(long position, MemorySegment into, Arena arena) throws CorruptException {
        MemorySegment frame = MemorySegment.NULL;
        for (long row = index.rowAfter(position); row < index.nodes(); row++) {
            Node node = index.node(row);
            if (node.frame().position() >= position + into.byteSize()) {
                return;
            }
            if (node.zero()) {
                int size = ZeroFrame.encodedSize(node.frame().contentSize());
                if (frame.byteSize() < size) {
                    frame = arena.allocate(size, 8);
                }
                ZeroFrame.encode(node.frame().contentSize(), frame);
                put(frame.asSlice(0, size), node.frame().position(), position, into);
            }
        }
    }

    private void putTables(long position, MemorySegment into) {
        long from = Math.max(position, summary.indexPosition());
        long to = Math.min(position + into.byteSize(), tablesEnd);
        if (from < to) {
            index.copy(from - summary.indexPosition(), into.asSlice(from - position, to - from));
        }
    }

    /// copies what of `piece`, which lies at `at` in the file, lies in `into`, which begins at `position`
    private static void put(MemorySegment piece, long at, long position, MemorySegment into) {
        long from = Math.max(at, position);
        long to = Math.min(at + piece.byteSize(), position + into.byteSize());
        if (from < to) {
            MemorySegment.copy(piece, from - at, into, from - position, to - from);
        }
    }
}
