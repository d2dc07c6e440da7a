package varve.archive.file;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import varve.archive.block.DeviceException;

/// A staged file of small rows, written through a small buffer from its beginning on.
///
/// What an earlier run left in it stays readable until it is overwritten, and goes at [#finish].
final class RowFile implements Sink, Closeable {

    private final Path path;
    private final FileChannel channel;
    private final ByteBuffer buffer;
    private final MemorySegment bytes;
    private long written;
    private volatile boolean failed;

    /// @param bufferSize the most bytes that are lost when the process dies
    RowFile(Path path, int bufferSize) throws IOException {
        this.path = path;
        this.buffer = ByteBuffer.allocateDirect(bufferSize);
        this.bytes = MemorySegment.ofBuffer(buffer);
        this.channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /// {@return bytes appended so far}
    long position() {
        return written + buffer.position();
    }

    /// {@return whether writing has failed}
    boolean failed() {
        return failed;
    }

    @Override
    public void append(MemorySegment piece) throws IOException {
        for (long done = 0; done < piece.byteSize(); ) {
            if (!buffer.hasRemaining()) {
                flush();
            }
            long part = Math.min(buffer.remaining(), piece.byteSize() - done);
            MemorySegment.copy(piece, done, bytes, buffer.position(), part);
            buffer.position(buffer.position() + (int) part);
            done += part;
        }
    }

    /// Writes `piece` over the beginning of the file.
    void patch(MemorySegment piece) throws IOException {
        flush();
        write(piece.asByteBuffer(), 0);
    }

    /// Copies the whole file to `sink`.
    void copyTo(Sink sink) throws IOException {
        flush();
        ByteBuffer part = ByteBuffer.allocateDirect(1 << 16);
        for (long position = 0; position < written; ) {
            part.clear().limit((int) Math.min(part.capacity(), written - position));
            MemorySegment bytes = MemorySegment.ofBuffer(part);
            Mapped.read(channel, path, position, bytes);
            sink.append(bytes);
            position += bytes.byteSize();
        }
    }

    /// Cuts off what an earlier run left behind the end, and waits until everything is on the medium.
    void finish() throws IOException {
        flush();
        try {
            channel.truncate(written);
            channel.force(true);
        } catch (IOException e) {
            throw failure(written, e);
        }
    }

    private void flush() throws IOException {
        buffer.flip();
        written = write(buffer, written);
        buffer.clear();
    }

    private long write(ByteBuffer from, long position) throws IOException {
        long at = position;
        try {
            while (from.hasRemaining()) {
                at += channel.write(from, at);
            }
        } catch (IOException e) {
            throw failure(at, e);
        }
        return at;
    }

    private DeviceException failure(long position, IOException e) {
        failed = true;
        return new DeviceException(path + ": cannot write at " + position + ": " + e.getMessage(), e);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
