package varve.archive.block;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// Anything sized that can be read at an offset: a device, an image, an archived point in time.
///
/// Every feature of varve is one verb over this noun. Offsets and sizes are bytes. Implementations may be read by
/// several threads at once; whoever opened a source closes it.
public interface BlockSource extends Closeable {

    /// {@return the size in bytes; fixed while the source is open}
    long size();

    /// {@return what to call it in messages: a path, or a point in time}
    String name();

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// @param into native memory, wholly inside of the source: there are no short reads
    /// @throws IOException if the bytes cannot be had, or are not what they should be; the message names the offset
    void read(long offset, MemorySegment into) throws IOException;

    /// {@return the first offset from `offset` on that may hold anything but zeros, or the size}
    /// Without knowledge this is `offset` itself.
    default long dataFrom(long offset) throws IOException {
        return offset;
    }

    /// {@return the end of the data that begins at `offset`: the first offset after it that is known to begin a hole, or the size}
    default long dataUntil(long offset) throws IOException {
        return size();
    }

    /// {@return what is known of the bytes from `offset` on without reading them} Never more than a look at tables.
    ///
    /// @param most bytes to look at: at least 1, and within the source
    default Run runAt(long offset, long most) throws IOException {
        long data = dataFrom(offset);
        return data > offset
                ? new Run(Math.min(most, data - offset), true)
                : new Run(Math.min(most, dataUntil(offset) - offset), false);
    }

    /// Makes sure that the source still has the size that it was opened with.
    ///
    /// @throws DeviceException if not
    default void checkSize() throws IOException {}
}
