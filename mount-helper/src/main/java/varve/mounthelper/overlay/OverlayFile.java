package varve.mounthelper.overlay;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import varve.archive.block.DeviceException;
import varve.archive.block.RefusedException;
import varve.archive.format.State;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;
import varve.archive.vault.LockedException;

/// The file of an overlay: a header, the sectors of the table, and two places for each block of the device. Sparse: what was
/// never written takes no room.
///
///     | header 4 KiB | table: 512 bytes for each 63 blocks | first place of each block | second place of each block |
///
/// Opened by one process at a time: a kernel lock, which dies with its owner. Safe for use by several threads; close it.
final class OverlayFile implements Closeable {

    static final int BLOCK = 4096;
    static final int SECTOR = 512;
    static final int ROWS = 63; // of a sector

    private final Path path;
    private final int fd;
    private final FileChannel channel; // of the same file; waiting in it does not keep a carrier of virtual threads
    private final OverlayHeader header;
    private final long blocks;
    private final long places;

    private OverlayFile(Path path, int fd, FileChannel channel, OverlayHeader header) {
        this.path = path;
        this.fd = fd;
        this.channel = channel;
        this.header = header;
        this.blocks = blocks(header.state().size());
        this.places = places(blocks);
    }

    /// Opens an overlay, or makes one if there is none.
    ///
    /// @param wanted what it is to be on; its name and time are for a new one
    /// @throws RefusedException if it is on another state, damaged, or something else
    /// @throws LockedException if it is in use
    static OverlayFile attach(Path path, OverlayHeader wanted) throws IOException {
        boolean made = make(path);
        int fd = openLocked(path);
        try {
            long whole = wholeSize(wanted.state().size());
            long size = Linux.size(fd);
            if (size == 0 || size == whole && Linux.seekData(fd, 0) < 0) { // new, or one whose making was interrupted
                begin(path, fd, whole, wanted);
            }
            OverlayHeader found = header(path, fd);
            if (!found.state().equals(wanted.state())) {
                throw new RefusedException(path + ": is an overlay of " + found.point() + ", root " + found.state().root().brief() + " with "
                        + found.state().size() + " bytes, and not of root " + wanted.state().root().brief() + " with " + wanted.state().size()
                        + "; serve " + found.volume() + "@" + found.state().root().brief() + " with it, or name another file");
            }
            return whole(path, fd, found);
        } catch (Throwable e) {
            Linux.close(fd);
            if (made) {
                Files.deleteIfExists(path);
            }
            throw e;
        }
    }

    /// Opens an overlay that exists.
    static OverlayFile open(Path path) throws IOException {
        int fd = openLocked(path);
        try {
            return whole(path, fd, header(path, fd));
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    /// Reads the header of a file that may be in use.
    ///
    /// @throws RefusedException if it is no overlay
    static OverlayHeader peek(Path path) throws IOException {
        int fd = openRegular(path, Linux.O_RDONLY);
        try {
            return header(path, fd);
        } finally {
            Linux.close(fd);
        }
    }

    /// {@return whether a file is an overlay, or was one that is damaged now}
    static boolean begins(Path path) throws IOException {
        int fd = openRegular(path, Linux.O_RDONLY);
        try (Arena arena = Arena.ofConfined()) {
            return OverlayHeader.begins(firstPage(fd, arena));
        } finally {
            Linux.close(fd);
        }
    }

    /// {@return bytes of a file that are no holes}
    static long taken(Path path) throws IOException {
        int fd = openRegular(path, Linux.O_RDONLY);
        try {
            long taken = 0;
            for (long from = Linux.seekData(fd, 0), to; from >= 0; from = Linux.seekData(fd, to)) {
                to = Linux.seekHole(fd, from);
                taken += to - from;
            }
            return taken;
        } finally {
            Linux.close(fd);
        }
    }

    /// {@return whether somebody uses it}
    static boolean inUse(Path path) throws IOException {
        int fd = openRegular(path, Linux.O_RDONLY);
        try {
            return !Linux.flock(fd, false, false);
        } finally {
            Linux.close(fd);
        }
    }

    private static OverlayFile whole(Path path, int fd, OverlayHeader header) throws IOException {
        long expected = wholeSize(header.state().size());
        long found = Linux.size(fd);
        if (found != expected) {
            throw new RefusedException(path + ": expected " + expected + " bytes, found " + found + ": the overlay was cut or added to; take a "
                    + "copy of it that is whole");
        }
        FileChannel channel = FileChannel.open(Path.of("/proc/self/fd/" + fd), StandardOpenOption.READ, StandardOpenOption.WRITE);
        return new OverlayFile(path, fd, channel, header);
    }

    private static boolean make(Path path) throws IOException {
        try { // what is written may be secret
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    static int openLocked(Path path) throws IOException {
        int fd = openRegular(path, Linux.O_RDWR);
        try {
            if (!Linux.flock(fd, true, false)) {
                throw new LockedException(path + ": in use by another varve; an overlay has one user at a time");
            }
            return fd;
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    private static int openRegular(Path path, int flags) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new RefusedException(path + ": " + (Files.isDirectory(path) ? "a folder" : "not a file") + "; an overlay is a file");
        }
        return Linux.open(path, flags);
    }

    /// All that is there before the header is a hole, so an interrupted beginning is told from damage.
    private static void begin(Path path, int fd, long whole, OverlayHeader header) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Linux.truncate(fd, whole);
            Linux.fsync(fd);
            MemorySegment page = arena.allocate(OverlayHeader.SIZE);
            header.encode(page);
            writeFully(fd, path, page, 0);
            Linux.fsync(fd);
            try (FileChannel folder = FileChannel.open(path.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
                folder.force(true);
            }
        } catch (SystemCallException e) {
            throw new DeviceException(path + ": cannot be made an overlay: " + e.reason(), e);
        }
    }

    private static OverlayHeader header(Path path, int fd) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            return OverlayHeader.decode(firstPage(fd, arena), path.toString());
        }
    }

    /// {@return the first page of a file, filled up with zeros if that is shorter}
    private static MemorySegment firstPage(int fd, Arena arena) throws IOException {
        MemorySegment page = arena.allocate(OverlayHeader.SIZE);
        for (long done = 0; done < page.byteSize(); ) {
            long count = Linux.pread(fd, page.asSlice(done), done);
            if (count == 0) {
                break;
            }
            done += count;
        }
        return page;
    }

    // ---- layout

    private static long blocks(long size) {
        return (size + BLOCK - 1) / BLOCK;
    }

    private static long places(long blocks) {
        long table = (blocks + ROWS - 1) / ROWS * SECTOR;
        return OverlayHeader.SIZE + (table + BLOCK - 1) / BLOCK * BLOCK;
    }

    static long wholeSize(long size) {
        return places(blocks(size)) + 2 * blocks(size) * BLOCK;
    }

    Path path() {
        return path;
    }

    OverlayHeader header() {
        return header;
    }

    /// {@return how many blocks the device has; the last one may be cut}
    long blocks() {
        return blocks;
    }

    long sectors() {
        return (places - OverlayHeader.SIZE) / SECTOR;
    }

    /// {@return where a sector of the table is in the file}
    long sector(long index) {
        return OverlayHeader.SIZE + index * SECTOR;
    }

    /// {@return where one of the two places of a block is in the file}
    long place(long block, int which) {
        return places + (which * blocks + block) * BLOCK;
    }

    // ---- bytes

    void read(long position, MemorySegment into) throws IOException {
        ByteBuffer buffer = into.asByteBuffer();
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, position + buffer.position()) < 0) {
                    throw new DeviceException(path + ": ends at " + (position + buffer.position()) + ": it was cut while it was in use");
                }
            }
        } catch (DeviceException e) {
            throw e;
        } catch (IOException e) {
            throw new DeviceException(path + ": cannot be read at " + position + ": " + e.getMessage(), e);
        }
    }

    void write(long position, MemorySegment from) throws IOException {
        writeFully(fd, path, from, position);
    }

    private static void writeFully(int fd, Path path, MemorySegment from, long position) throws IOException {
        for (long done = 0; done < from.byteSize(); ) {
            try {
                done += Linux.pwrite(fd, from.asSlice(done), position + done);
            } catch (SystemCallException e) {
                throw new DeviceException(path + ": cannot be written at " + (position + done) + ": " + e.reason(), e);
            }
        }
    }

    /// Gives room back, if the file system can.
    void punch(long position, long size) {
        try {
            Linux.punchHole(fd, position, size);
        } catch (IOException e) {
            // what is there is not used any more, it only takes room
        }
    }

    /// {@return the first position from `position` on that is not in a hole, or -1}
    long data(long position) throws IOException {
        return Linux.seekData(fd, position);
    }

    /// Brings to the medium what was written.
    void force() throws IOException {
        try {
            channel.force(false);
        } catch (IOException e) {
            throw new DeviceException(path + ": cannot be brought to the medium: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            Linux.close(fd);
        }
    }
}
