package varve.mounthelper;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import varve.archive.block.Geometry;
import varve.mounthelper.Stretches.Stretch;
import varve.mounthelper.image.Nearer;

/// What a target holds of an image while it is restored: a bit for each chunk that was brought and proved.
///
/// Safe for use by several threads.
final class Holding implements Nearer {

    private final Geometry geometry;
    private final Target target;
    private final BitSet chunks = new BitSet();

    Holding(Geometry geometry, Target target) {
        this.geometry = geometry;
        this.target = target;
    }

    synchronized void add(Stretch stretch) {
        chunks.set(Math.toIntExact(stretch.first()), Math.toIntExact(stretch.end()));
    }

    private synchronized boolean has(long chunk) {
        return chunks.get(Math.toIntExact(chunk));
    }

    @Override
    public boolean read(long offset, MemorySegment into) throws IOException {
        if (!has(offset >>> geometry.chunkLog())) {
            return false;
        }
        if (into.byteSize() % Medium.PAGE == 0 && into.address() % Medium.PAGE == 0) {
            target.medium().read(offset, into.byteSize(), into);
        } else { // the end of the image
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment pages = arena.allocate(into.byteSize() + Medium.PAGE, Medium.PAGE);
                target.medium().read(offset, into.byteSize(), pages);
                into.copyFrom(pages.asSlice(0, into.byteSize()));
            }
        }
        return true;
    }
}
