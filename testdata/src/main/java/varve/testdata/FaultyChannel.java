package varve.testdata;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/// A file channel over another one, with the faults of real devices: bad sectors, short reads and writes, a device that
/// shrinks, and one that is full. Without any it does what the other one does, and closes it.
///
/// Errors have the words of Linux. Each fault stays until all are taken back; several can be set at once. Counts are exact
/// as long as one thread at a time reads or writes. Locks and maps are not for this channel.
public final class FaultyChannel extends FileChannel {
    private static final long NEVER = Long.MAX_VALUE;

    private final FileChannel channel;
    private volatile long badRead = NEVER;
    private volatile long badWrite = NEVER;
    private volatile long room = NEVER;
    private volatile long end = NEVER;
    private volatile long shrinksAfter = NEVER;
    private volatile long shrunk = NEVER;
    private volatile int most = Integer.MAX_VALUE;
    private volatile boolean badForce;

    private FaultyChannel(FileChannel channel) {
        this.channel = channel;
    }

    public static FaultyChannel over(FileChannel channel) {
        return new FaultyChannel(channel);
    }

    /// The byte at this position cannot be read: a read that begins there fails, one that begins before ends before it.
    public FaultyChannel badSectorAt(long position) {
        badRead = position;
        return this;
    }

    /// The byte at this position cannot be written, likewise.
    public FaultyChannel badWriteAt(long position) {
        badWrite = position;
        return this;
    }

    /// After this many more bytes the device is full; the write that reaches that is a short one.
    public FaultyChannel fullAfter(long bytes) {
        room = bytes;
        return this;
    }

    /// The device ends at `size` as soon as `after` bytes more have been read; 0: at once.
    public FaultyChannel shrinksTo(long size, long after) {
        end = after == 0 ? size : NEVER;
        shrinksAfter = after == 0 ? NEVER : after;
        shrunk = size;
        return this;
    }

    /// No read or write moves more bytes than this.
    public FaultyChannel atMost(int bytes) {
        most = bytes;
        return this;
    }

    /// What was written cannot be brought to the medium.
    public FaultyChannel badForce() {
        badForce = true;
        return this;
    }

    /// Takes all faults back.
    public FaultyChannel healthy() {
        badRead = badWrite = room = end = shrinksAfter = shrunk = NEVER;
        most = Integer.MAX_VALUE;
        badForce = false;
        return this;
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        if (position >= size()) {
            return -1;
        }
        int count = transfer(into, limited(into, position, badRead, size()), part -> channel.read(part, position));
        if (shrinksAfter != NEVER && (shrinksAfter -= Math.max(0, count)) <= 0) {
            shrinksTo(shrunk, 0);
        }
        return count;
    }

    @Override
    public int write(ByteBuffer from, long position) throws IOException {
        if (room == 0 && from.hasRemaining()) {
            throw new IOException("No space left on device");
        }
        int limit = limited(from, position, badWrite, room == NEVER ? NEVER : position + room);
        int count = transfer(from, limit, part -> channel.write(part, position));
        if (room != NEVER) {
            room -= count;
        }
        return count;
    }

    /// how many bytes a transfer may move that must not reach `bad` nor pass `end`
    private int limited(ByteBuffer buffer, long position, long bad, long end) throws IOException {
        if (bad == position && buffer.hasRemaining()) {
            throw new IOException("Input/output error");
        }
        long before = bad > position ? Math.min(bad, end) : end;
        return (int) Math.min(Math.min(buffer.remaining(), most), before - position);
    }

    private static int transfer(ByteBuffer buffer, int limit, Transfer transfer) throws IOException {
        int count = transfer.move(buffer.slice().limit(limit));
        buffer.position(buffer.position() + Math.max(0, count));
        return count;
    }

    private interface Transfer {
        int move(ByteBuffer part) throws IOException;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        int count = read(into, position());
        position(position() + Math.max(0, count));
        return count;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        int count = write(from, position());
        position(position() + count);
        return count;
    }

    @Override
    public long read(ByteBuffer[] into, int first, int length) throws IOException {
        for (int i = first; i < first + length; i++) {
            if (into[i].hasRemaining()) {
                return read(into[i]);
            }
        }
        return 0;
    }

    @Override
    public long write(ByteBuffer[] from, int first, int length) throws IOException {
        for (int i = first; i < first + length; i++) {
            if (from[i].hasRemaining()) {
                return write(from[i]);
            }
        }
        return 0;
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, 1 << 16));
        int read = read(buffer, position);
        if (read <= 0) {
            return 0;
        }
        buffer.flip();
        return target.write(buffer);
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, 1 << 16));
        if (source.read(buffer) <= 0) {
            return 0;
        }
        buffer.flip();
        long written = 0;
        while (buffer.hasRemaining()) {
            written += write(buffer, position + written);
        }
        return written;
    }

    @Override
    public long size() throws IOException {
        return Math.min(channel.size(), end);
    }

    @Override
    public long position() throws IOException {
        return channel.position();
    }

    @Override
    public FileChannel position(long position) throws IOException {
        channel.position(position);
        return this;
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        channel.truncate(size);
        return this;
    }

    @Override
    public void force(boolean metadata) throws IOException {
        if (badForce) {
            throw new IOException("Input/output error");
        }
        channel.force(metadata);
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
        throw new UnsupportedOperationException("faults cannot be mapped");
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException("no locks on a faulty channel");
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException("no locks on a faulty channel");
    }

    @Override
    protected void implCloseChannel() throws IOException {
        channel.close();
    }
}
