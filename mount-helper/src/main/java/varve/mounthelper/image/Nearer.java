package varve.mounthelper.image;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// A place that holds parts of an image already and is faster to read than the archives. It is not trusted: what it gives is proved like
/// what the archives give, and if it is wrong they are asked.
@FunctionalInterface
public interface Nearer {

    /// Holds nothing.
    Nearer NONE = (offset, into) -> false;

    /// Fills `into` with bytes of the image, if it has them all.
    ///
    /// @param into a chunk
    /// @return whether it has
    boolean read(long offset, MemorySegment into) throws IOException;
}
