package varve.archive.block;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;
import varve.archive.linux.SystemCallException;

/// A block device or a raw image file, opened for reading as a polite guest: what others have in the page cache stays there,
/// and nothing else is left.
///
/// A device is read past the page cache (`O_DIRECT`). What is cached of it may be old: the kernel does not keep it in step with a
/// file system that is mounted from the device, nor with another host that writes to it, and the archive would hold what
/// was never there. A file is read through the page cache, since most of it may be there; pages that were not are dropped
/// afterwards. Read-ahead is off, so that what a read brings in is just what it asked for; reads are large. Holes of files
/// are known, those of devices are not.
///
/// Safe for use by several threads.
public final class FileDevice implements BlockSource {

    private static final int BUFFERED = 0;
    private static final int PAGE = 4096;

    private final Path path;
    private final int fd;
    private final long size;
    private final int sector;
    private final Residency residency;

    /// @param sector what direct reads are aligned to, or `BUFFERED`
    private FileDevice(Path path, int fd, long size, int sector) {
        this.path = path;
        this.fd = fd;
        this.size = size;
        this.sector = sector;
        this.residency = new Residency(fd, size);
    }

    /// Opens a device or a file.
    ///
    /// @throws RefusedException if it is neither: a folder, a pipe, another kind of device
    public static FileDevice open(Path path) throws IOException {
        if (path.toString().isEmpty()) {
            throw new NoSuchFileException("\"\"", null, "no device or file has no name");
        }
        if (Linux.isBlockDevice(path)) {
            return openDevice(path);
        }
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new RefusedException(path + ": " + (Files.isDirectory(path) ? "a folder" : "neither file nor block device")
                    + "; give a block device, an image file, or - for a stream");
        }
        int fd = Linux.open(path, Linux.O_RDONLY);
        try {
            Linux.adviseRandom(fd);
            return new FileDevice(path, fd, Linux.size(fd), BUFFERED);
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    private static FileDevice openDevice(Path path) throws IOException {
        int fd = Linux.open(path, Linux.O_RDONLY | Linux.O_DIRECT);
        try {
            long size = Linux.size(fd);
            if (size == 0) {
                throw new DeviceException(path + ": a device of 0 bytes; is it attached, is there a medium in it?");
            }
            return new FileDevice(path, fd, size, Linux.sectorSize(fd));
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public String name() {
        return path.toString();
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        if (sector == BUFFERED) {
            readPolitely(offset, into);
        } else if ((offset | into.byteSize() | into.address()) % sector == 0) {
            readFully(offset, into);
        } else {
            readSectors(offset, into);
        }
    }

    private void readPolitely(long offset, MemorySegment into) throws IOException {
        record Range(long offset, long size) {}
        List<Range> missing = new ArrayList<>();
        residency.missing(offset, into.byteSize(), (at, length) -> missing.add(new Range(at, length)));
        readFully(offset, into);
        for (Range range : missing) {
            Linux.dropCache(fd, range.offset, range.size);
        }
    }

    /// reads the sectors around what is not aligned; a device has no part of one at its end
    private void readSectors(long offset, MemorySegment into) throws IOException {
        long start = offset / sector * sector;
        long end = (offset + into.byteSize() + sector - 1) / sector * sector;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sectors = arena.allocate(end - start, Math.max(PAGE, sector));
            readFully(start, sectors);
            MemorySegment.copy(sectors, offset - start, into, 0, into.byteSize());
        }
    }

    private void readFully(long offset, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long count = readSome(offset + done, into.asSlice(done));
            if (count == 0) {
                long end = Math.min(Linux.size(fd), offset + done);
                throw new DeviceException(path + ": ends at " + end + ", expected " + size + ": it shrank while it was read");
            }
            done += count;
        }
    }

    /// reads, and if that fails, no more than a page: a large direct read fails as a whole
    private long readSome(long offset, MemorySegment into) throws IOException {
        try {
            return Linux.pread(fd, into, offset);
        } catch (SystemCallException e) {
            long least = Math.max(PAGE, sector);
            if (into.byteSize() > least) {
                return readSome(offset, into.asSlice(0, least));
            }
            throw new DeviceException(path + ": cannot read at " + offset + ": " + e.reason(), e);
        }
    }

    @Override
    public long dataFrom(long offset) throws IOException {
        if (offset >= size) {
            return size;
        }
        long data = Linux.seekData(fd, offset);
        return data < 0 ? size : Math.min(data, size);
    }

    @Override
    public long dataUntil(long offset) throws IOException {
        long hole = Linux.seekHole(fd, offset);
        return hole < 0 ? size : Math.min(hole, size);
    }

    @Override
    public void checkSize() throws IOException {
        long now = Linux.size(fd);
        if (now != size) {
            throw new DeviceException(path + ": has " + now + " bytes now, had " + size + " when it was opened: it must not change while it is read");
        }
    }

    @Override
    public void close() throws IOException {
        try {
            residency.close();
        } finally {
            Linux.close(fd);
        }
    }
}
