package varve.archive.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;

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
    /// @throws RefusedException if it is a folder, or anything else without a size
    public static FileDevice open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new RefusedException(path + ": a folder; give a block device, an image file, or - for a stream");
        }
        int fd = Linux.open(path, Linux.O_RDONLY);
        try {
            long size = Linux.size(fd);
            Linux.adviseRandom(fd);
            return new FileDevice(path, fd, size, Residency.of(fd, size));
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
        long[] missing = new long[16];
        int[] count = {0};
        residency.missing(offset, into.byteSize(), (at, length) -> {
            if (count[0] + 2 <= missing.length) {
                missing[count[0]++] = at;
                missing[count[0]++] = length;
            } else {
                missing[count[0] - 1] = at + length - missing[count[0] - 2]; // too many: one range to the end of this
            }
        });
        readFully(offset, into);
        for (int i = 0; i < count[0]; i += 2) {
            Linux.dropCache(fd, missing[i], missing[i + 1]);
        }
    }

    private void readFully(long offset, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long count;
            try {
                count = Linux.pread(fd, into.asSlice(done), offset + done);
            } catch (IOException e) {
                throw new DeviceException(path + ": cannot read at " + (offset + done) + ": " + e.getMessage(), e);
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
        residency.close();
        Linux.close(fd);
    }
}
