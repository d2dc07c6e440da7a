package varve.mounthelper.fuse;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import varve.archive.block.BlockSource;
import varve.archive.block.BlockTarget;

/// Something in a tree that is served. Entries that are equal are the same folder or file, also to the kernel's page cache: so those
/// with other content must not be equal.
public sealed interface Entry {

    /// {@return when it was last changed}
    Instant changed() throws IOException;

    /// An entry and what it is called.
    ///
    /// @param name without a slash
    record Named(String name, Entry entry) {}

    /// A folder. What is in it may change.
    non-sealed interface Folder extends Entry {
        List<Named> list() throws IOException;

        /// {@return the entry of a name, if there is one}
        Optional<Entry> find(String name) throws IOException;
    }

    /// A file, not opened yet. Its size is fixed.
    non-sealed interface File extends Entry {
        long size();

        /// {@return how many bytes it takes where it is stored: less than its size tells programs to look for holes}
        long storedSize();

        /// {@return whether what [#open] gives is a [BlockTarget]}
        default boolean writable() {
            return false;
        }

        /// Opens it for one user, who closes it. What is written by one can be read by all.
        BlockSource open() throws IOException;
    }
}
