package varve.archive.chain;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import varve.archive.format.Node;

/// Where decoded frames of deltas are kept for the chunks that need them next. What they hold is unverified: it is
/// the chunk put together from it that is compared with its hash.
public interface Frames extends AutoCloseable {

    /// The content of a frame, which stays where it is until this is closed.
    interface Held extends AutoCloseable {

        /// {@return native memory of the frame's content size}
        MemorySegment content();

        @Override
        void close();
    }

    /// Decodes one frame.
    @FunctionalInterface
    interface Decoding {
        /// @param content all of it is filled
        void into(MemorySegment content) throws IOException;
    }

    /// {@return a frame's content, decoded now if it is not at hand}
    /// @param layer of the archive, 0 for the full
    /// @throws IOException if it cannot be decoded
    Held hold(int layer, Node.Frame frame, Decoding decoding) throws IOException;

    /// {@return a frame's content, if somebody has decoded it or is at it; else null}
    /// @throws IOException if it cannot be decoded
    default @Nullable Held holdIfThere(int layer, Node.Frame frame) throws IOException {
        return null;
    }

    /// Forgets the frames of a layer: they may be read from elsewhere now.
    void forget(int layer);

    @Override
    void close();
}
