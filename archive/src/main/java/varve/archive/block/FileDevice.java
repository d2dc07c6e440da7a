package varve.archive.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;
import varve.archive.linux.SystemCallException;

/// A block device or a raw image file, opened for reading as a polite guest: pages that were not in the page cache before
/// are dropped after they were read, pages of others stay.
///
/// Read-ahead is off, so that what a read brings in is just what it asked for; reads are large. Holes of files are known,
/// those of devices are not.
///
/// Safe for use by several threads.
public final class FileDevice implements BlockSource {

    private final Path path;
    private final int fd;
    private final long size;
    private final Residency residency;

    private FileDevice(Path path, int fd, long size, Residency residency) {
        this.path = path;
        this.fd = fd;
        this.size = size;
        this.residency = residency;
    }

    /// Opens a device or a file.
    ///
    /// @throws RefusedException if it is neither: a folder, a pipe, another kind of device
    public static FileDevice open(Path path) throws IOException {
        boolean device = Linux.isBlockDevice(path);
        if (!device && Files.exists(path) && !Files.isRegularFile(path)) {
            throw new RefusedException(path + ": " + (Files.isDirectory(path) ? "a folder" : "neither file nor block device")
                    + "; give a block device, an image file, or - for a stream");
        }
        int fd = Linux.open(path, Linux.O_RDONLY);
        try {
            long size = Linux.size(fd);
            if (device && size == 0) {
                throw new DeviceException(path + ": a device of 0 bytes; is it attached, is there a medium in it?");
            }
            Linux.adviseRandom(fd);
            return new FileDevice(path, fd, size, new Residency(fd, size));
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
        record Range(long offset, long size) {}
        List<Range> missing = new ArrayList<>();
        residency.missing(offset, into.byteSize(), (at, length) -> missing.add(new Range(at, length)));
        readFully(offset, into);
        for (Range range : missing) {
            Linux.dropCache(fd, range.offset, range.size);
        }
    }

    private void readFully(long offset, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long count;
            try {
                count = Linux.pread(fd, into.asSlice(done), offset + done);
            } catch (SystemCallException e) {
                throw new DeviceException(path + ": cannot read at " + (offset + done) + ": " + e.reason(), e);
            }
            if (count == 0) {
                throw new DeviceException(path + ": ends at " + (offset + done) + ", expected " + size + ": it shrank while it was read");
            }
            done += count;
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
        Linux.close(fd);
    }
}
