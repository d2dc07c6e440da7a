package varve.archive.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import varve.archive.block.Geometry;
import varve.archive.hash.Hash;

/// What is known of an archive once it is complete; the last frame of the index region. FORMAT.md section 5.3.
///
/// @param header the fields of the header, repeated
/// @param state of the device: root and size
/// @param extents rows of the extent table
/// @param nodes rows of the node table
/// @param frames data frames
/// @param payloadSize decompressed size of all data frames
/// @param indexPosition of the index region in the archive file
public record Summary(
        Header header, State state, long extents, long nodes, long frames, long payloadSize, long indexPosition) {

    static final String TAG = "VARVEEND";
    static final int CONTENT_SIZE = 192;

    public static final int FRAME_SIZE = Skippable.HEAD_SIZE + CONTENT_SIZE;

    private static final int CHECK = CONTENT_SIZE - Bytes.CHECK_SIZE;
    private static final int TABLE_HEAD = Skippable.HEAD_SIZE + Skippable.TAG_SIZE;

    public Geometry geometry() {
        return new Geometry(state.size(), header.chunkLog());
    }

    /// {@return position of the first extent row in the index region}
    public static long extentRows() {
        return TABLE_HEAD;
    }

    /// {@return position of the first node row in the index region}
    public long nodeRows() {
        return TABLE_HEAD + extents * Extent.SIZE + TABLE_HEAD;
    }

    /// {@return size of the index region}
    public long indexSize() {
        return nodeRows() + nodes * Node.SIZE + FRAME_SIZE;
    }

    /// {@return bytes in front of the rows of either table}
    public static int tableHeadSize() {
        return TABLE_HEAD;
    }

    /// Writes what comes before the extent rows.
    public static void encodeExtentHead(MemorySegment to, long extents) {
        Skippable.encode(to, 0, Skippable.TAG_SIZE + extents * Extent.SIZE, Extent.TAG);
    }

    /// Writes what comes before the node rows.
    public static void encodeNodeHead(MemorySegment to, long nodes) {
        Skippable.encode(to, 0, Skippable.TAG_SIZE + nodes * Node.SIZE, Node.TAG);
    }

    /// Writes the frame to the beginning of `to`.
    public void encode(MemorySegment to) {
        MemorySegment content = to.asSlice(Skippable.HEAD_SIZE, CONTENT_SIZE);
        content.fill((byte) 0);
        Skippable.encode(to, 0, CONTENT_SIZE, TAG);
        header.encodeShared(content);
        Bytes.u64(content, 80, state.size());
        state.root().write(content, 88);
        Bytes.u64(content, 120, extents);
        Bytes.u64(content, 128, nodes);
        Bytes.u64(content, 136, frames);
        Bytes.u64(content, 144, payloadSize);
        Bytes.u64(content, 152, indexPosition);
        byte[] check = Bytes.check(content, CHECK);
        MemorySegment.copy(MemorySegment.ofArray(check), 0, content, CHECK, check.length);
    }

    /// {@return whether a summary frame seems to begin at a position, by its first bytes}
    public static boolean isAt(MemorySegment from, long position) {
        return Skippable.is(from, position, CONTENT_SIZE, TAG);
    }

    /// {@return the summary at the end of an index region}
    /// @param index the region, whole; only its last frame and the heads of its tables are looked at
    /// @throws CorruptException F002, F027, F029, F032 to F034, and what [Header] may break
    /// @throws UnsupportedException if a later version wrote it
    public static Summary decode(MemorySegment index, String where) throws CorruptException, UnsupportedException {
        long at = index.byteSize() - FRAME_SIZE;
        if (at < 0 || !Skippable.is(index, at, CONTENT_SIZE, TAG)) {
            throw new CorruptException(Rule.F027, where, "expected a summary frame at its end");
        }
        Summary summary = decodeAlone(index.asSlice(at), where);
        summary.checkTables(index, where);
        return summary;
    }

    /// {@return the summary in a frame, without a look at the tables that it speaks of}
    /// @param frame at least [#FRAME_SIZE] bytes
    /// @throws CorruptException F027, F032 to F034, and what [Header] may break
    /// @throws UnsupportedException if a later version wrote it
    public static Summary decodeAlone(MemorySegment frame, String where) throws CorruptException, UnsupportedException {
        if (!isAt(frame, 0)) {
            throw new CorruptException(Rule.F027, where, "expected a summary frame");
        }
        MemorySegment content = frame.asSlice(Skippable.HEAD_SIZE, CONTENT_SIZE);
        byte[] found = content.asSlice(CHECK, Bytes.CHECK_SIZE).toArray(ValueLayout.JAVA_BYTE);
        if (!Arrays.equals(found, Bytes.check(content, CHECK)) || !Bytes.zero(content, 160, 16)) {
            throw new CorruptException(Rule.F027, where, "the check over its bytes does not hold");
        }
        Header header = Header.decodeShared(content, where);
        Summary summary = new Summary(
                header,
                new State(Hash.read(content, 88), Bytes.u64(content, 80)),
                Bytes.u64(content, 120),
                Bytes.u64(content, 128),
                Bytes.u64(content, 136),
                Bytes.u64(content, 144),
                Bytes.u64(content, 152));
        summary.checkLimits(where);
        return summary;
    }

    private void checkTables(MemorySegment index, String where) throws CorruptException {
        long nodeFrame = nodeRows() - TABLE_HEAD;
        if (indexSize() != index.byteSize()) {
            throw new CorruptException(Rule.F029, where, extents + " extents and " + nodes + " nodes in " + index.byteSize() + " bytes");
        }
        if (!Skippable.is(index, 0, Extent.TAG) || !Skippable.is(index, nodeFrame, Node.TAG)) {
            throw new CorruptException(Rule.F002, where, "expected the extent frame, then the node frame");
        }
        if (Skippable.contentSize(index, 0) != nodeFrame - Skippable.HEAD_SIZE
                || Skippable.contentSize(index, nodeFrame) != Skippable.TAG_SIZE + nodes * Node.SIZE) {
            throw new CorruptException(Rule.F029, where, "the frames of the tables are not as large as " + extents + " extents and " + nodes + " nodes");
        }
    }

    private void checkLimits(String where) throws CorruptException {
        if (state.size() < 0 || geometry().chunks() > Geometry.MAX_CHUNKS) {
            throw new CorruptException(Rule.F032, where, Long.toUnsignedString(state.size()) + " bytes");
        }
        if (nodes < 0 || nodes > Node.MAX_ROWS) {
            throw new CorruptException(Rule.F033, where, Long.toUnsignedString(nodes) + " nodes");
        }
        if (extents < 0 || extents > Extent.MAX_ROWS) {
            throw new CorruptException(Rule.F034, where, Long.toUnsignedString(extents) + " extents");
        }
    }
}
