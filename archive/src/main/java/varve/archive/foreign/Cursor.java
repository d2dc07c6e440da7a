package varve.archive.foreign;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;

/// A foreign file read from its beginning to its end, a number at a time. What is too large to be kept is passed over, and known by
/// its position.
///
/// Not thread-safe. Close it; the file stays open.
final class Cursor implements AutoCloseable {

    private static final int WINDOW = 64 << 10;

    private final FileDevice file;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment window;
    private long windowStart;
    private long windowEnd;
    private long position;

    Cursor(FileDevice file) {
        this.file = file;
        this.window = arena.allocate(WINDOW, 4096);
    }

    /// {@return where the next byte is}
    long position() {
        return position;
    }

    boolean atEnd() {
        return position == file.size();
    }

    /// Goes to a place that was passed already.
    void back(long to) {
        position = to;
    }

    int u8(String what) throws IOException {
        return Byte.toUnsignedInt(take(1, what).get(ValueLayout.JAVA_BYTE, 0));
    }

    int u16(String what, ByteOrder order) throws IOException {
        return Short.toUnsignedInt(take(2, what).get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order), 0));
    }

    long u32(String what, ByteOrder order) throws IOException {
        return Integer.toUnsignedLong(take(4, what).get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(order), 0));
    }

    /// {@return 64 bits, which may be negative}
    long bits(String what, ByteOrder order) throws IOException {
        return take(8, what).get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order), 0);
    }

    /// {@return a number of 64 bits}
    /// @throws RefusedException if it is 2^63 or more
    long u64(String what, ByteOrder order) throws IOException {
        long value = bits(what, order);
        if (value < 0) {
            position -= 8;
            throw wrong("expected " + what + ", found " + Long.toUnsignedString(value));
        }
        return value;
    }

    byte[] bytes(int count, String what) throws IOException {
        return take(count, what).toArray(ValueLayout.JAVA_BYTE);
    }

    /// {@return a name, as far as it is text}
    String text(int length, String what) throws IOException {
        return new String(bytes(length, what), StandardCharsets.UTF_8);
    }

    /// {@return a line without its end, or null if there is no end within `most` bytes}
    String line(int most, String what) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = u8(what); c != '\n'; c = u8(what)) {
            line.append((char) c);
            if (line.length() > most) {
                position -= line.length();
                throw wrong("expected " + what);
            }
        }
        return line.toString();
    }

    /// Reads a text that has to be there.
    void expect(String text) throws IOException {
        long start = position;
        String name = "\"" + text.strip() + "\"";
        if (!new String(bytes(text.length(), name), StandardCharsets.ISO_8859_1).equals(text)) {
            position = start;
            throw wrong("expected " + name);
        }
    }

    /// Passes over bytes that have to be there.
    ///
    /// @return where they are
    long skip(long count, String what) throws IOException {
        require(count, what);
        long start = position;
        position += count;
        return start;
    }

    private void require(long count, String what) throws RefusedException {
        if (count > file.size() - position) {
            throw wrong("cut off: expected " + count + " bytes of " + what + ", found " + (file.size() - position));
        }
    }

    private MemorySegment take(int count, String what) throws IOException {
        require(count, what);
        if (position < windowStart || position + count > windowEnd) {
            windowStart = position;
            windowEnd = Math.min(file.size(), position + WINDOW);
            file.read(windowStart, window.asSlice(0, windowEnd - windowStart));
        }
        MemorySegment taken = window.asSlice(position - windowStart, count);
        position += count;
        return taken;
    }

    /// {@return what is said of a file that is not as it should be here}
    RefusedException wrong(String what) {
        return new RefusedException(file.name() + ": at " + position + ": " + what + "; nothing was recorded");
    }

    @Override
    public void close() {
        arena.close();
    }
}
