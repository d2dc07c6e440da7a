package varve.archive.codec;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;

/// The content of a zstd stream: of any number of frames and skippable frames, whoever made them. A stream that ends inside of a frame is an error.
///
/// A frame gets a window of at most 128 MiB, what zstd itself takes without being asked. Buffers are off-heap, so that native code gets no memory of the collector. Closing it closes the stream below.
public final class ZstdStream extends InputStream {

    private static final int BUFFER = 1 << 17;

    /// what zstd says of a window that is larger (the code in the exception is another with each way to call it)
    private static final String TOO_LARGE = "Frame requires too much memory for decoding";

    private final InputStream in;
    private final Arena arena = Arena.ofShared();
    private final ByteBuffer packed = arena.allocate(BUFFER).asByteBuffer().flip();
    private final ByteBuffer content = arena.allocate(BUFFER).asByteBuffer().flip();
    private final byte[] piece = new byte[BUFFER];
    private final ZstdDecompressCtx context = new ZstdDecompressCtx();
    private boolean betweenFrames = true;
    private boolean more; // the decoder may have content left that needs no further bytes

    public ZstdStream(InputStream in) {
        this.in = in;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (!content.hasRemaining()) {
            if (!decode()) {
                return -1;
            }
        }
        int count = Math.min(length, content.remaining());
        content.get(into, offset, count);
        return count;
    }

    /// Decodes some; there may be no content in it.
    ///
    /// @return false at the end
    private boolean decode() throws IOException {
        if (!packed.hasRemaining() && !more && !fill()) {
            if (!betweenFrames) {
                throw new EOFException("cut off: it ends inside of a zstd frame");
            }
            return false;
        }
        content.clear();
        int before = packed.remaining();
        try {
            betweenFrames = context.decompressDirectByteBufferStream(content, packed);
        } catch (ZstdException e) {
            content.limit(0);
            throw new IOException("no zstd that can be read: " + e.getMessage() + (TOO_LARGE.equals(e.getMessage())
                    ? "; decompress it with zstd --long=31 and import the stream" : ""), e);
        }
        more = !content.hasRemaining() && !betweenFrames;
        content.flip();
        if (!content.hasRemaining() && packed.remaining() == before && packed.hasRemaining()) {
            throw new IOException("no zstd that can be read: the decoder makes no progress");
        }
        return true;
    }

    private boolean fill() throws IOException {
        int count = in.read(piece, 0, piece.length);
        if (count < 0) {
            return false;
        }
        packed.clear().put(piece, 0, count).flip();
        return true;
    }

    @Override
    public void close() throws IOException {
        try {
            in.close();
        } finally {
            context.close();
            arena.close();
        }
    }
}
