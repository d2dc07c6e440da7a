package varve.archive.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.foreign.MemorySegment;

/// Compresses one frame at a time: content size present, no dictionary, no checksum (the chunk hashes are stronger).
///
/// Not thread-safe: one per worker. Close it.
public final class FrameEncoder implements AutoCloseable {

    private final ZstdCompressCtx context;

    /// @param level zstd level, 1 to 22, or negative for faster ones
    public FrameEncoder(int level) {
        context = new ZstdCompressCtx();
        context.setLevel(level);
        context.setContentSize(true);
        context.setChecksum(false);
        context.setDictID(false);
    }

    /// {@return the most that a frame of `contentSize` bytes can need}
    public static long bound(long contentSize) {
        return Zstd.compressBound(contentSize);
    }

    /// {@return whether zstd has this level}
    public static boolean levelIsKnown(int level) {
        return level >= Zstd.minCompressionLevel() && level <= Zstd.maxCompressionLevel() && level != 0;
    }

    /// Compresses `content` into the beginning of `frame`; both native memory.
    ///
    /// @param frame at least [#bound] bytes
    /// @return the size of the frame
    public int encode(MemorySegment content, MemorySegment frame) {
        try {
            return context.compressDirectByteBuffer(
                    frame.asByteBuffer(), 0, (int) frame.byteSize(),
                    content.asByteBuffer(), 0, (int) content.byteSize());
        } catch (ZstdException e) {
            throw new IllegalStateException("zstd refuses to compress " + content.byteSize() + " bytes", e);
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
