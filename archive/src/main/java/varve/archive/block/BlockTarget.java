package varve.archive.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// A block source that can be written, too. What was written is read back at once, and outlives a crash after [#flush].
///
/// Ranges lie wholly inside of it. May be written by several threads at once; of writes that overlap, either comes last.
public interface BlockTarget extends BlockSource {

    /// Writes all of `from`.
    ///
    /// @param from native memory
    void write(long offset, MemorySegment from) throws IOException;

    /// Makes a range read as zeros.
    ///
    /// @param allocated whether later writes there must not fail for want of room
    void zero(long offset, long size, boolean allocated) throws IOException;

    /// Takes note that nobody needs the bytes of a range any more; they may read as anything until they are written.
    void discard(long offset, long size) throws IOException;

    /// Returns when all that was written before the call is on the medium.
    void flush() throws IOException;
}
