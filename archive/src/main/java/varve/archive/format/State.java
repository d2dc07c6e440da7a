package varve.archive.format;

import varve.archive.hash.Hash;

/// One state of a device: its root and its size. Two points in time without a change between them share one.
///
/// @param root BLAKE3 of the whole device
/// @param size in bytes
public record State(Hash root, long size) {

    /// what a full comes from
    public static final State NOTHING = new State(new Hash(0, 0, 0, 0), 0);

    @Override
    public String toString() {
        return root.brief() + " (" + size + " bytes)";
    }
}
