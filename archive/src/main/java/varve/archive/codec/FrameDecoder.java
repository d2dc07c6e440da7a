package varve.archive.codec;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.foreign.MemorySegment;

/// Decompresses one frame at a time into memory of exactly the size that the index promises, so a frame that lies about
/// its size is bounded by that.
///
/// Not thread-safe: one per worker. Close it.
public final class FrameDecoder implements AutoCloseable {

    private final ZstdDecompressCtx context = new ZstdDecompressCtx();

    /// Decodes `frame` into all of `content`; both native memory.
    ///
    /// @return whether it did: a frame that is damaged, or longer or shorter than `content`, does not decode
    public boolean decode(MemorySegment frame, MemorySegment content) {
        if (content.byteSize() == 0) {
            return false;
        }
        try {
            long size = context.decompressDirectByteBuffer(
                    content.asByteBuffer(), 0, (int) content.byteSize(),
                    frame.asByteBuffer(), 0, (int) frame.byteSize());
            return size == content.byteSize();
        } catch (ZstdException e) {
            return false;
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
