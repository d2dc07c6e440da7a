package varve.archive.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Decompresses one frame at a time into memory of exactly the size that the index promises, so a frame that lies about
/// its size is bounded by that.
///
/// Not thread-safe: one per worker. Close it.
public final class FrameDecoder implements AutoCloseable {

    private final ZstdDecompressCtx context = new ZstdDecompressCtx();

    /// Decodes `frame` into all of `content`; both native memory.
    ///
    /// @return whether it did: bytes that are damaged, are not just one frame, or do not state and have the size of
    ///     `content`, do not (FORMAT.md F010)
    public boolean decode(MemorySegment frame, MemorySegment content) {
        ByteBuffer bytes = frame.asByteBuffer();
        int frameSize = (int) frame.byteSize();
        int size = (int) content.byteSize();
        if (size == 0 || Zstd.getDirectByteBufferFrameContentSize(bytes, 0, frameSize) != size) {
            return false;
        }
        try {
            return Zstd.findDirectByteBufferFrameCompressedSize(bytes, 0, frameSize) == frameSize
                    && Zstd.getDictIdFromFrameBuffer(bytes) == 0
                    && context.decompressDirectByteBuffer(content.asByteBuffer(), 0, size, bytes, 0, frameSize) == size;
        } catch (ZstdException e) {
            return false;
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
