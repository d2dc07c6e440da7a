package varve.archive.foreign;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import varve.archive.block.BlockSource;

/// A foreign file on its way out: numbers, texts, and stretches of a device.
///
/// For one thread. Closing it leaves the stream open.
final class Output implements Closeable {

    /// the most that is read from a device at once
    static final int UNIT = 1 << 20;

    private final WritableByteChannel out;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment unit = arena.allocate(UNIT, 4096);
    private final ByteBuffer head = ByteBuffer.allocate(64 << 10);

    Output(OutputStream out) {
        this.out = Channels.newChannel(out);
    }

    /// Takes a stretch of a device.
    interface Taker {
        void take(long offset, MemorySegment bytes) throws IOException;
    }

    /// Reads a range in pieces.
    ///
    /// @param most bytes of a piece, which end at multiples of it
    void pieces(BlockSource source, long offset, long end, int most, Taker taker) throws IOException {
        for (long at = offset; at < end; ) {
            long stop = Math.min(end, at - at % most + most);
            MemorySegment bytes = unit.asSlice(0, stop - at);
            source.read(at, bytes);
            taker.take(at, bytes);
            at = stop;
        }
    }

    Output ascii(String text) {
        head.put(text.getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    Output bytes(byte[] bytes) {
        head.put(bytes);
        return this;
    }

    Output u8(int value) {
        head.put((byte) value);
        return this;
    }

    Output u16(int value) {
        head.order(ByteOrder.LITTLE_ENDIAN).putShort((short) value);
        return this;
    }

    Output u32(int value, ByteOrder order) {
        head.order(order).putInt(value);
        return this;
    }

    Output u64(long value, ByteOrder order) {
        head.order(order).putLong(value);
        return this;
    }

    /// Writes what was put.
    void flush() throws IOException {
        head.flip();
        write(head);
        head.clear();
    }

    /// Writes what was put, and bytes after it.
    void flush(MemorySegment bytes) throws IOException {
        flush();
        write(bytes.asByteBuffer());
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
