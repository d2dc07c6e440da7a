package varve.verify;

import org.jspecify.annotations.Nullable;
import varve.archive.hash.Hash;

/// What something says of the hashes of a data file's groups of 1 MiB; it may be wrong of any of them.
@FunctionalInterface
interface GroupValues {

    /// {@return the value of a group, or null if it says nothing of it}
    @Nullable Hash at(long group);
}
