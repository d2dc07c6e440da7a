package varve.mounthelper.image;

import java.io.IOException;
import varve.archive.block.BlockSource;

/// A block source that is put together from archives, and knows what comes from which.
public interface Composed extends BlockSource {

    /// {@return where the bytes from `offset` on come from, to the block}
    ///
    /// @param most bytes to look at: at least 1, and within the source
    Origin originAt(long offset, long most) throws IOException;

    /// Has what it takes to read a range brought in the background, as far as there is room for it.
    void expect(long offset, long size) throws IOException;
}
