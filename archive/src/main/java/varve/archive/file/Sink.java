package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// Takes bytes one after another.
interface Sink {

    /// Takes all of `bytes`; the caller may reuse the memory at once.
    void append(MemorySegment bytes) throws IOException;
}
