package varve.archive.chain;

import java.lang.foreign.MemorySegment;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// The device of no bytes, which has no nodes but a root.
final class Empty {

    static final Hash ROOT = new SubtreeHasher().whole(MemorySegment.ofArray(new byte[0]));

    private Empty() {}
}
