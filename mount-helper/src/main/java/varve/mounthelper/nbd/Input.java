package varve.mounthelper.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// What a client sends, as numbers and bytes. An end where more is expected is an `EOFException`.
///
/// For one thread.
final class Input {

    private static final int SIZE = 8 << 10;

    private final Wire wire;
    private final ByteBuffer buffer = ByteBuffer.allocate(SIZE).flip(); // big-endian, as the protocol

    Input(Wire wire) {
        this.wire = wire;
    }

    int u16() throws IOException {
        need(Short.BYTES);
        return Short.toUnsignedInt(buffer.getShort());
    }

    /// {@return a number of 32 bits as it is}
    int i32() throws IOException {
        need(Integer.BYTES);
        return buffer.getInt();
    }

    long u32() throws IOException {
        return Integer.toUnsignedLong(i32());
    }

    /// {@return a number of 64 bits as it is}
    long i64() throws IOException {
        need(Long.BYTES);
        return buffer.getLong();
    }

    byte[] bytes(int count) throws IOException {
        byte[] bytes = new byte[count];
        fill(MemorySegment.ofArray(bytes));
        return bytes;
    }

    void skip(long count) throws IOException {
        for (long left = count; left > 0; ) {
            need(1);
            int part = (int) Math.min(left, buffer.remaining());
            buffer.position(buffer.position() + part);
            left -= part;
        }
    }

    void fill(MemorySegment into) throws IOException {
        ByteBuffer rest = into.asByteBuffer();
        int part = Math.min(rest.remaining(), buffer.remaining());
        rest.put(buffer.slice().limit(part));
        buffer.position(buffer.position() + part);
        while (rest.hasRemaining()) {
            if (wire.read(rest) < 0) {
                throw new EOFException();
            }
        }
    }

    /// {@return whether the client has sent something that was received and not asked for yet}
    boolean pending() {
        return buffer.hasRemaining();
    }

    private void need(int count) throws IOException {
        while (buffer.remaining() < count) {
            buffer.compact();
            int got = wire.read(buffer);
            buffer.flip();
            if (got < 0) {
                throw new EOFException();
            }
        }
    }
}
