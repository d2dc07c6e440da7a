package varve.verify;

import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import varve.archive.block.FileDevice;
import varve.archive.hash.SubtreeHasher;
import varve.verify.work.Rooms;

/// One pass over the 1 MiB groups of one data file, in order, whatever is in them.
final class GroupSweep {

    private GroupSweep() {}

    /// @param size to be looked at: the file's own, or that of the manifest if it is smaller
    /// @param single whether the file should have but one group, whose hash is then the file's
    static void run(FileDevice file, long size, boolean single, int threads, Consumer<Slab.Group> taker) throws IOException {
        Strand strand = new Strand(null, file, 0, size, single, Strand.NO_CONTENT, null);
        if (size > Slab.SIZE) {
            new Sweep(List.of(strand), null).run(threads, seen -> seen.groups.forEach(taker));
        } else if (size > 0) { // not worth a crew
            try (Rooms rooms = new Rooms()) {
                new Slab(strand, 0, size, rooms).load(new SubtreeHasher()).forEach(taker);
            }
        }
    }
}
