package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;

/// Finds out which archive of a chain is to blame for a chunk that cannot be proved: a delta whose own frame is good may stand
/// on a damaged one.
///
/// For one thread. Close it; the chain stays open.
final class Blame implements AutoCloseable {

    private final Chain chain;
    private final Arena arena = Arena.ofShared();
    private @Nullable ChainReader reader; // made when it is needed: mostly nobody is to blame
    private MemorySegment room = MemorySegment.NULL;

    /// @param layer to blame
    /// @param cause what is wrong there
    record Culprit(int layer, Throwable cause) {}

    Blame(Chain chain) {
        this.chain = chain;
    }

    /// @param layer whose archive lists the chunk
    /// @param cause why the chunk could not be proved as it was then
    Culprit culprit(int layer, long chunk, Throwable cause) {
        int below = listing(layer - 1, chunk);
        if (below < 0 || own(layer, cause)) {
            return new Culprit(layer, cause);
        }
        try {
            read(below, chunk);
            return new Culprit(layer, cause);
        } catch (IOException | RuntimeException | InternalError e) {
            return culprit(below, chunk, e);
        }
    }

    private void read(int layer, long chunk) throws IOException {
        if (reader == null) {
            reader = new ChainReader(chain);
            room = arena.allocate(chain.geometry().chunkSize(), 4096);
        }
        reader.read(layer, chunk, room.asSlice(0, chain.index(layer).geometry().length(chunk, 1)));
    }

    /// the newest layer, from this one down, that lists a chunk, or -1
    private int listing(int layer, long chunk) {
        try {
            return layer < 0 ? -1 : chain.find(layer, chunk).layer();
        } catch (CorruptException e) {
            return -1; // the device had no such chunk then
        }
    }

    private boolean own(int layer, Throwable cause) {
        return cause instanceof CorruptException e
                && (e.rule() == Rule.F010 || e.rule() == Rule.F011)
                && e.where().startsWith(chain.archive(layer).data().getFileName().toString());
    }

    @Override
    public void close() {
        if (reader != null) {
            reader.close();
        }
        arena.close();
    }
}
