package varve.verify;

import org.jspecify.annotations.Nullable;
import varve.archive.block.FileDevice;
import varve.archive.format.FileTree;
import varve.archive.format.Node;
import varve.archive.seal.SealedContent;

/// One data file in a sweep: which groups of it are read, and as which layer of the chain its nodes are proved.
///
/// @param check that takes its groups, in order; null if nobody checks
/// @param file opened
/// @param from where the first group begins
/// @param to where the last one ends: the end of the file at most
/// @param single whether the file should have but one group, whose hash is then the file's
/// @param layer in the chain, or -1 if its content is not proved
/// @param sealed the content, if the file is sealed and its content is proved
record Strand(
        @Nullable DataCheck check, FileDevice file, long from, long to, boolean single, int layer, @Nullable SealedContent sealed) {

    static final int NO_CONTENT = -1;

    /// {@return whether the nodes of a frame are proved here: it begins in the groups}
    boolean has(Node.Frame frame) {
        return start(frame) >= from && start(frame) < to;
    }

    /// {@return where in the file it begins what has to be read for a frame}
    long start(Node.Frame frame) {
        return sealed == null ? frame.position() : sealed.sealedPosition(frame.position());
    }

    /// {@return where in the file it ends}
    long end(Node.Frame frame) {
        return sealed == null ? frame.end() : sealed.sealedEnd(frame.end());
    }

    /// {@return the end of the group that holds the byte before `position`}
    static long groupEnd(long position) {
        return (position + Slab.GROUP - 1) >>> FileTree.GROUP_LOG << FileTree.GROUP_LOG;
    }
}
