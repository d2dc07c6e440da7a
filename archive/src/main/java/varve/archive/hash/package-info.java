/// BLAKE3, as varve needs it (FORMAT.md section 3): the *chaining values* of subtrees, each at its own offset in the
/// device, which a [varve.archive.hash.TreeMerge] combines to the *root*, the number that `b3sum` prints for the whole.
///
/// Nouns: a **leaf** is 1 KiB of input (BLAKE3's specification calls it a chunk), a **block** 64 bytes of a leaf, a
/// **subtree** an aligned power-of-two group of leaves, cut at the end of the input. A **kernel** hashes many leaves
/// side by side, one in each lane; there is one of plain loops, one of the Vector API and one of machine code, and
/// [varve.archive.hash.Hashing] says which is in use.
@NullMarked
package varve.archive.hash;

import org.jspecify.annotations.NullMarked;
