package varve.archive;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;
import varve.archive.seal.WrongKeyException;

/// What a delta is made against: the parent's tables always, its content where that is at hand.
final class ParentView {

    private final Chain chain;
    private final Consumer<String> warnings;
    private final AtomicBoolean warned = new AtomicBoolean();
    private volatile boolean sealed;

    ParentView(Chain chain, Consumer<String> warnings) {
        this.chain = chain;
        this.warnings = warnings;
    }

    Geometry geometry() {
        return chain.geometry();
    }

    /// {@return the parent's node that holds a chunk, if that chunk has this length there too, else null}
    @Nullable Node node(long chunk, long length) throws IOException {
        return chunk < geometry().chunks() && geometry().length(chunk, 1) == length
                ? chain.find(chunk).node()
                : null;
    }

    ChainReader reader() {
        return new ChainReader(chain);
    }

    /// Reads the parent's content of a chunk.
    ///
    /// @return whether it is to be had; if not, the hash tables have to do, and the chunk is stored whole
    boolean read(ChainReader reader, long chunk, MemorySegment into) throws IOException {
        if (sealed) {
            return false;
        }
        try {
            reader.read(chunk, into);
            return true;
        } catch (WrongKeyException e) {
            if (chain.archive(chain.length() - 1).keys().given()) {
                throw e;
            }
            sealed = true; // who archives need not be able to read: the tables have to do
        } catch (BrokenChainException e) {
            warn("the parent's data is not at hand: changed chunks are stored whole (" + e.getMessage() + ")");
        } catch (CorruptException e) {
            warn("the parent's data is damaged: changed chunks are stored whole where it is (" + e.getMessage() + "); run varve verify");
        } catch (DeviceException e) {
            warn("the parent's data cannot be read: changed chunks are stored whole where it cannot (" + e.getMessage() + "); run varve verify");
        }
        return false;
    }

    private void warn(String message) {
        if (warned.compareAndSet(false, true)) {
            warnings.accept(message);
        }
    }
}
