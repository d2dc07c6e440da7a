package varve.archive.file;

import java.lang.foreign.MemorySegment;
import varve.archive.format.Extent;
import varve.archive.format.Header;
import varve.archive.format.Node;

/// What an archive would be, without writing it.
public final class Tally implements ArchiveOutput {

    private long position = Header.FRAME_SIZE;
    private long extents;
    private long nodes;

    @Override
    public Node.Frame frame(MemorySegment bytes, int contentSize) {
        Node.Frame frame = new Node.Frame(position, (int) bytes.byteSize(), contentSize);
        position += bytes.byteSize();
        return frame;
    }

    @Override
    public long nextExtent() {
        return extents;
    }

    @Override
    public void extent(Extent extent) {
        extents++;
    }

    @Override
    public void node(Node node) {
        nodes++;
    }

    /// {@return bytes that data file and index file would take, but for a few hundred}
    public long storedSize() {
        long index = nodes * Node.SIZE + extents * Extent.SIZE;
        return position + 2 * index + nodes * 8;
    }
}
