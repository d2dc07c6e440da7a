package varve.archive.file;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import varve.archive.block.DeviceException;

/// Files as memory: mapped where the file system can, so that tables of any size cost no heap.
final class Mapped {

    private static final long PIECE = 1 << 30;
    private static final long PROBE = 1 << 20;

    private Mapped() {}

    /// {@return the bytes of a part of a file, for reading only, until `arena` closes}
    static MemorySegment map(FileChannel channel, Path path, long position, long size, Arena arena) throws IOException {
        if (size == 0) {
            return MemorySegment.NULL.asSlice(0, 0);
        }
        if (path.getFileSystem() == FileSystems.getDefault()) {
            return channel.map(FileChannel.MapMode.READ_ONLY, position, size, arena);
        }
        MemorySegment bytes = arena.allocate(size, 8);
        read(channel, path, position, bytes);
        return bytes.asReadOnly();
    }

    /// Reads a part of a file for nothing but its errors: in a mapping a bad sector is a signal, and perhaps the end of the JVM.
    static void probe(FileChannel channel, Path path, long position, long size) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(Math.min(size, PROBE), 8);
            for (long done = 0; done < size; done += PROBE) {
                read(channel, path, position + done, room.asSlice(0, Math.min(PROBE, size - done)));
            }
        }
    }

    /// Fills `into` from `position` on.
    ///
    /// @throws EOFException if the file ends before
    static void read(FileChannel channel, Path path, long position, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            ByteBuffer part = into.asSlice(done, Math.min(PIECE, into.byteSize() - done)).asByteBuffer();
            int count = read(channel, path, position + done, part);
            if (count <= 0) {
                throw new EOFException(path + ": ends at " + (position + done) + ", expected " + (position + into.byteSize()));
            }
            done += count;
        }
    }

    private static int read(FileChannel channel, Path path, long position, ByteBuffer into) throws IOException {
        try {
            return channel.read(into, position);
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new DeviceException(path + ": cannot read at " + position + ": " + e.getMessage(), e);
        }
    }
}
