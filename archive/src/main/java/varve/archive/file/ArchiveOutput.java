package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import varve.archive.format.Extent;
import varve.archive.format.Node;

/// Takes the parts of an archive in device order: an [ArchiveWriter], or a [Tally] that only counts.
public interface ArchiveOutput {

    /// Appends a data frame.
    ///
    /// @param contentSize decompressed
    /// @return where it is, for the rows of its nodes
    Node.Frame frame(MemorySegment bytes, int contentSize) throws IOException;

    /// {@return the row that the next extent gets}
    long nextExtent();

    void extent(Extent extent) throws IOException;

    void node(Node node) throws IOException;
}
