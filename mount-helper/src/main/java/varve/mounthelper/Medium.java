package varve.mounthelper;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import varve.archive.Throttle;
import varve.archive.block.DeviceException;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;

/// The bytes of a target, read and written past the page cache (`O_DIRECT`) where the file system can: what is read
/// back then comes from the medium, and nobody else's pages make room for ours. Where it cannot (some FUSE and network
/// file systems), [#flush] writes the pages out and drops them, to the same end.
///
/// Direct I/O goes by whole pages. So buffers begin at a page border in memory, transfers at one in the target, and a
/// buffer to read into has room for whole pages. The odd bytes at the end of an image are written through the page cache.
///
/// Errors are [DeviceException]s with the offset. Safe for use by several threads.
final class Medium implements Closeable {

    static final int PAGE = 4096;

    private static final MemorySegment ZEROS = Arena.global().allocate(1 << 20, PAGE).asReadOnly();

    private final String name;
    private final int fd;
    private final int directFd; // -1 if the file system has no direct I/O
    private final Throttle throttle;
    private volatile boolean direct;

    /// @param fd open for reading and writing; closed with this
    /// @param throttle of reading and writing together
    Medium(String name, int fd, Throttle throttle) throws IOException {
        this.name = name;
        this.fd = fd;
        this.throttle = throttle;
        this.directFd = openDirect(fd);
        this.direct = directFd >= 0;
        // a page that an earlier run failed to write may still be cached and look clean: it must not pass for the medium
        Linux.dropCache(fd, 0, 0);
    }

    /// opened by way of the descriptor, so that it is the same file whatever has happened to its name
    private static int openDirect(int fd) throws IOException {
        try {
            return Linux.open(Path.of("/proc/self/fd/" + fd), Linux.O_RDWR | Linux.O_DIRECT);
        } catch (SystemCallException e) {
            return -1;
        }
    }

    int fd() {
        return fd;
    }

    /// Fills the first `size` bytes of `into`; what follows them up to the next whole page is overwritten too.
    void read(long offset, long size, MemorySegment into) throws IOException {
        throttle.take(size);
        long room = (size + PAGE - 1) & -PAGE;
        for (long done = 0; done < size; ) {
            MemorySegment rest = into.asSlice(done, direct ? room - done : size - done);
            long count;
            try {
                count = Linux.pread(direct ? directFd : fd, rest, offset + done);
            } catch (SystemCallException e) {
                if (leaveDirect(e)) {
                    continue;
                }
                throw new DeviceException(name + ": cannot read at " + (offset + done) + ": " + e.reason(), e);
            }
            if (count == 0) {
                throw new DeviceException(name + ": ends at " + (offset + done) + ", expected " + (offset + size) + ": it shrank");
            }
            done += count;
        }
    }

    /// Writes all of `from`.
    void write(long offset, MemorySegment from) throws IOException {
        throttle.take(from.byteSize());
        long size = from.byteSize();
        long whole = size & -PAGE;
        for (long done = 0; done < size; ) {
            boolean past = direct && done < whole;
            MemorySegment rest = from.asSlice(done, (past ? whole : size) - done);
            try {
                done += Linux.pwrite(past ? directFd : fd, rest, offset + done);
            } catch (SystemCallException e) {
                if (!(past && leaveDirect(e))) {
                    throw new DeviceException(name + ": cannot write at " + (offset + done) + ": " + e.reason(), e);
                }
            }
        }
    }

    void writeZeros(long offset, long size) throws IOException {
        for (long done = 0; done < size; ) {
            long part = Math.min(ZEROS.byteSize(), size - done);
            write(offset + done, ZEROS.asSlice(0, part));
            done += part;
        }
    }

    /// direct I/O that the file system grants and then refuses, for a larger block size say
    private boolean leaveDirect(SystemCallException e) {
        if (direct && e.errno() == SystemCallException.EINVAL) {
            direct = false;
            return true;
        }
        return false;
    }

    /// Brings what was written to the medium, so that what is read next in this range comes from there.
    void flush(long offset, long size) throws IOException {
        sync();
        if (!direct) {
            Linux.dropCache(fd, offset, size);
        }
    }

    /// Brings what was written, of data and file system, to the medium.
    void sync() throws IOException {
        try {
            Linux.fsync(fd);
        } catch (SystemCallException e) {
            throw new DeviceException(name + ": cannot be brought to the medium: " + e.reason(), e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            if (directFd >= 0) {
                Linux.close(directFd);
            }
        } finally {
            Linux.close(fd);
        }
    }
}
