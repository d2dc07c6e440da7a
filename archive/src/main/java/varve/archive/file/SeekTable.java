package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import varve.archive.format.CorruptException;
import varve.archive.format.Header;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.Summary;

/// The zstd seek table at the end of a data file: FORMAT.md section 4.3, *zstd seekable format* 0.1.0.
///
/// It follows from the index, so it is generated: once to write it, and again to compare it with what is there.
final class SeekTable {

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAGIC = 0x184D2A5E;
    private static final int END_MAGIC = 0x8F92EAB1;
    private static final int HEAD = 8;
    private static final int ROW = 8;
    static final int FOOT = 9;
    private static final int OWN_ROWS = 4; // header, and the three frames of the index region
    private static final int BUFFER = 1 << 16;

    private final Index index;
    private final Sink sink;
    private final MemorySegment buffer;
    private long filled;

    private SeekTable(Index index, Sink sink, Arena arena) {
        this.index = index;
        this.sink = sink;
        this.buffer = arena.allocate(BUFFER, 8);
    }

    /// {@return the size of the table of an archive}
    static long size(Summary summary) {
        return HEAD + rows(summary) * ROW + FOOT;
    }

    /// Hands the table out, piece by piece.
    static void write(Index index, Sink sink) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            new SeekTable(index, sink, arena).write();
        }
    }

    /// {@return where the table of a file begins, if the file has so many data frames}
    static long position(long fileSize, long frames) {
        return fileSize - HEAD - (OWN_ROWS + frames) * ROW - FOOT;
    }

    /// {@return where the table begins, by the number of frames that it ends with}
    static long position(FileChannel channel, Path path, Arena arena) throws IOException {
        MemorySegment foot = arena.allocate(FOOT, 8);
        long size = channel.size();
        if (size < Header.FRAME_SIZE + HEAD + FOOT) {
            throw new CorruptException(Rule.F013, path.getFileName().toString(), "no room for one in " + size + " bytes");
        }
        Mapped.read(channel, path, size - FOOT, foot);
        return position(size, foot, path);
    }

    /// {@return likewise}
    ///
    /// @param size of the zstd file
    /// @param foot its last bytes
    /// @param path for messages
    static long position(long size, MemorySegment foot, Path path) throws CorruptException {
        String where = path.getFileName().toString();
        long position = position(size, (foot.get(U32, 0) & 0xffff_ffffL) - OWN_ROWS);
        if (foot.get(U32, 5) != END_MAGIC || position < Header.FRAME_SIZE) {
            throw new CorruptException(Rule.F013, where, "no seek table at its end");
        }
        return position;
    }

    /// Compares the table in a file with what the index demands.
    static void compare(Index index, ArchiveFile file) throws IOException {
        long position = index.summary().indexPosition() + index.summary().indexSize();
        long expected = position + size(index.summary());
        String where = file.path().getFileName().toString();
        if (file.contentSize() != expected) {
            throw new CorruptException(Rule.F013, where, "the file ends at " + file.contentSize() + ", the seek table at " + expected);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(BUFFER, 8);
            long[] at = {position};
            new SeekTable(index, piece -> {
                        MemorySegment same = found.asSlice(0, piece.byteSize());
                        file.read(at[0], same);
                        long difference = same.mismatch(piece);
                        if (difference >= 0) {
                            throw new CorruptException(Rule.F013, where, "byte at " + (at[0] + difference));
                        }
                        at[0] += piece.byteSize();
                    }, arena)
                    .write();
        }
    }

    private static long rows(Summary summary) {
        return OWN_ROWS + summary.frames();
    }

    private void write() throws IOException {
        Summary summary = index.summary();
        pair(MAGIC, size(summary) - HEAD);
        pair(Header.FRAME_SIZE, 0);
        long last = 0;
        for (long row = 0; row < index.nodes(); row++) {
            Node.Frame frame = index.node(row).frame();
            if (frame.position() > last) {
                pair(frame.size(), frame.contentSize());
                last = frame.position();
            }
        }
        pair(summary.nodeRows() - Summary.tableHeadSize(), 0);
        pair(summary.indexSize() - summary.nodeRows() + Summary.tableHeadSize() - Summary.FRAME_SIZE, 0);
        pair(Summary.FRAME_SIZE, 0);
        room(FOOT);
        buffer.set(U32, filled, (int) rows(summary));
        buffer.set(ValueLayout.JAVA_BYTE, filled + 4, (byte) 0);
        buffer.set(U32, filled + 5, END_MAGIC);
        filled += FOOT;
        flush();
    }

    private void pair(long first, long second) throws IOException {
        room(ROW);
        buffer.set(U32, filled, (int) first);
        buffer.set(U32, filled + 4, (int) second);
        filled += ROW;
    }

    private void room(int size) throws IOException {
        if (filled + size > BUFFER) {
            flush();
        }
    }

    private void flush() throws IOException {
        sink.append(buffer.asSlice(0, filled));
        filled = 0;
    }
}
