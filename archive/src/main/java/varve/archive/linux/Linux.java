package varve.archive.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/// The system calls that the JDK lacks. A file is an `int` descriptor, as the kernel has it.
///
/// Buffers are off-heap memory; a heap segment is an `IllegalArgumentException`. A call that a signal interrupts is made again. What the
/// kernel refuses is a [SystemCallException]; a file that is not there, or not ours to open, is the JDK's own
/// exception for that.
///
/// Thread-safe, as the calls themselves are. Calls block: platform threads, not virtual ones.
public final class Linux {
    // asm-generic/fcntl.h; the kernel of ARM numbers O_DIRECT and O_NOFOLLOW otherwise
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_DIRECT = arm() ? 0x1_0000 : 0x4000;
    public static final int O_NOFOLLOW = arm() ? 0x8000 : 0x2_0000;
    private static final int O_CLOEXEC = 0x8_0000;

    // linux/fs.h
    private static final int SEEK_END = 2;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final long BLKROGET = 0x125e;
    private static final long BLKSSZGET = 0x1268;
    private static final long BLKZEROOUT = 0x127f;
    private static final long TIOCGWINSZ = 0x5413; // asm-generic/ioctls.h

    private static final int S_IFMT = 0xf000;
    private static final int S_IFBLK = 0x6000;

    private static final int POSIX_FADV_RANDOM = 1;
    private static final int POSIX_FADV_DONTNEED = 4;

    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;

    private static final int LOCK_SH = 1;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;

    private static final int PROT_NONE = 0;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20; // asm-generic/mman-common.h
    private static final int MAP_NORESERVE = 0x4000; // asm-generic/mman.h
    private static final int MADV_HUGEPAGE = 14; // asm-generic/mman-common.h

    // linux/mount.h, fs.h
    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;
    private static final int MNT_DETACH = 2;
    private static final int UMOUNT_NOFOLLOW = 8;

    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = O_CLOEXEC;
    private static final int ADDRESS_SIZE = 108; // of sockaddr_un, linux/un.h

    private static final int PR_SET_IO_FLUSHER = 57; // linux/prctl.h
    private static final int IOPRIO_WHO_PROCESS = 1;
    private static final int IOPRIO_CLASS_IDLE = 3 << 13;

    private Linux() {}

    // ---- files

    /// Opens a file, closed on exec; a new one gets the mode 0666 less the umask.
    ///
    /// @param flags `O_RDONLY`, `O_RDWR | O_DIRECT`, ...
    /// @throws NoSuchFileException if it does not exist
    /// @throws AccessDeniedException if the process may not open it so
    public static int open(Path path, int flags) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path.toString(), NAMES);
            long fd = call(OPEN, name, word(flags | O_CLOEXEC), word(0666));
            if (fd == -SystemCallException.ENOENT) {
                throw new NoSuchFileException(path.toString(), null, "no such file");
            }
            if (fd == -SystemCallException.EACCES) {
                throw new AccessDeniedException(path.toString(), null, "permission denied");
            }
            return (int) checked(fd, path.toString(), "open");
        }
    }

    /// Closes a file. Never made twice: after an interrupted `close` the descriptor is gone (close(2)).
    public static void close(int fd) throws IOException {
        long result = once(CLOSE, word(fd));
        if (result != -SystemCallException.EINTR) {
            checked(result, "fd " + fd, "close");
        }
    }

    /// {@return the size in bytes of a file or block device} The file position moves.
    public static long size(int fd) throws IOException {
        return checked(seek(fd, 0, SEEK_END), fd, "lseek to the end");
    }

    /// Reads at an offset.
    ///
    /// @return bytes read: fewer than asked for only before the end or a failing sector, 0 at or beyond the end
    public static long pread(int fd, MemorySegment into, long offset) throws IOException {
        long size = into.byteSize();
        long read = call(PREAD, word(fd), into, word(size), word(offset));
        return read >= 0 ? read : checked(read, fd, "read of " + size + " bytes at " + offset);
    }

    /// Writes at an offset.
    ///
    /// @return bytes written: may be fewer than given, write the rest to learn why
    public static long pwrite(int fd, MemorySegment from, long offset) throws IOException {
        long size = from.byteSize();
        long written = call(PWRITE, word(fd), from, word(size), word(offset));
        return written >= 0 ? written : checked(written, fd, "write of " + size + " bytes at " + offset);
    }

    /// Reads what comes next: of a pipe, a character device.
    ///
    /// @return bytes read, 0 at the end, or the error of [SystemCallException] as a negative number
    public static long read(int fd, MemorySegment into) {
        long size = into.byteSize();
        return call(READ, word(fd), into, word(size));
    }

    /// Writes next.
    ///
    /// @return bytes written, or the error of [SystemCallException] as a negative number
    public static long write(int fd, MemorySegment from) {
        long size = from.byteSize();
        return call(WRITE, word(fd), from, word(size));
    }

    /// Gives a file a size: what is beyond is cut off, what is missing becomes a hole.
    public static void truncate(int fd, long size) throws IOException {
        checked(call(FTRUNCATE, word(fd), word(size)), fd, "truncate to " + size + " bytes");
    }

    public static void fsync(int fd) throws IOException {
        checked(call(FSYNC, word(fd)), fd, "fsync");
    }

    /// {@return the first offset at or after `offset` that is data, or -1 if there is none} Where holes are not known,
    /// as on a block device, all is data and `offset` itself is the answer. The file position moves.
    public static long seekData(int fd, long offset) throws IOException {
        long data = seek(fd, offset, SEEK_DATA);
        if (data == -SystemCallException.EINVAL) {
            return offset < size(fd) ? offset : -1;
        }
        return data == -SystemCallException.ENXIO ? -1 : checked(data, fd, "lseek to data after " + offset);
    }

    /// {@return the first offset at or after `offset` that is in a hole, or -1 if `offset` is at or beyond the end}
    /// The end of the file is a hole; where holes are not known, as on a block device, it is the only one. The file
    /// position moves.
    public static long seekHole(int fd, long offset) throws IOException {
        long hole = seek(fd, offset, SEEK_HOLE);
        if (hole == -SystemCallException.EINVAL) {
            long size = size(fd);
            return offset < size ? size : -1;
        }
        return hole == -SystemCallException.ENXIO ? -1 : checked(hole, fd, "lseek to a hole after " + offset);
    }

    /// Makes a range of zeros that takes no space; the size stays.
    ///
    /// @return false if the file system or device cannot: write zeros
    public static boolean punchHole(int fd, long offset, long size) throws IOException {
        int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        long result = call(FALLOCATE, word(fd), word(mode), word(offset), word(size));
        if (result == -SystemCallException.EOPNOTSUPP) {
            return false;
        }
        checked(result, fd, "punch hole of " + size + " bytes at " + offset);
        return true;
    }

    /// Locks a file, until it is closed or its holder dies. Unrelated to `FileChannel.lock` (flock(2), fcntl(2)).
    ///
    /// @return false if another holds it and `wait` is not set
    public static boolean flock(int fd, boolean exclusive, boolean wait) throws IOException {
        int operation = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);
        long result = call(FLOCK, word(fd), word(operation));
        if (result == -SystemCallException.EAGAIN) {
            return false;
        }
        checked(result, fd, "flock");
        return true;
    }

    // ---- page cache

    /// Turns read-ahead off.
    public static void adviseRandom(int fd) throws IOException {
        advise(fd, 0, 0, POSIX_FADV_RANDOM);
    }

    /// Drops the clean pages of a range that nobody has mapped. Whoever else had them cached loses them too.
    public static void dropCache(int fd, long offset, long size) throws IOException {
        advise(fd, offset, size, POSIX_FADV_DONTNEED);
    }

    private static void advise(int fd, long offset, long size, int advice) throws IOException {
        long error = call(POSIX_FADVISE, word(fd), word(offset), word(size), word(advice));
        if (error != SystemCallException.ESPIPE) { // a pipe takes no advice
            checked(-error, fd, "posix_fadvise"); // returns the error instead of setting errno
        }
    }

    /// Maps a file so that it cannot be read. For [Residency]: to read through it would mean SIGBUS on an I/O error.
    static MemorySegment map(int fd, long size) throws IOException {
        long address = checked(
                call(MMAP, MemorySegment.NULL, word(size), word(PROT_NONE), word(MAP_SHARED), word(fd), word(0)),
                fd, "mmap of " + size + " bytes");
        return MemorySegment.ofAddress(address).reinterpret(size);
    }

    static void unmap(MemorySegment mapping) throws IOException {
        long size = mapping.byteSize();
        checked(call(MUNMAP, mapping, word(size)), "mapping", "munmap");
    }

    /// Fills `pages` with one byte per page of the mapping, whose lowest bit says that the page is in the page cache.
    static void mincore(MemorySegment mapping, MemorySegment pages) throws IOException {
        long size = mapping.byteSize();
        checked(call(MINCORE, mapping, word(size), pages), "mapping", "mincore");
    }

    static int pageSize() {
        int scPagesize = 30;
        return (int) call(SYSCONF, word(scPagesize));
    }

    // ---- memory

    /// {@return memory that takes room only where it has been written, until `arena` closes}
    public static MemorySegment reserve(long size, Arena arena) throws IOException {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        long address = checked(
                call(MMAP, MemorySegment.NULL, word(size), word(PROT_READ | PROT_WRITE), word(flags), word(-1), word(0)),
                "memory", "mmap of " + size + " bytes");
        return MemorySegment.ofAddress(address).reinterpret(size, arena, mapping -> {
            call(MUNMAP, mapping, word(size));
        });
    }

    /// Makes memory that [#reserve] gave machine code, which can be run with [#run] and not be written any more.
    public static void makeExecutable(MemorySegment memory) throws IOException {
        checked(
                call(MPROTECT, memory, word(memory.byteSize()), word(PROT_READ | PROT_EXEC)),
                "memory", "mprotect of " + memory.byteSize() + " bytes");
    }

    /// Asks the kernel to use large pages for memory; one without them does as ever.
    static void adviseLargePages(MemorySegment memory) {
        call(MADVISE, memory, word(memory.byteSize()), word(MADV_HUGEPAGE));
    }

    // ---- block devices

    /// {@return whether a path leads to a block device} False if it leads nowhere.
    public static boolean isBlockDevice(Path path) throws IOException {
        return Files.exists(path) && ((int) Files.getAttribute(path, "unix:mode") & S_IFMT) == S_IFBLK;
    }

    /// {@return the logical sector size of a block device in bytes: what direct I/O is aligned to}
    public static int sectorSize(int fd) throws IOException {
        return ioctlInt(fd, BLKSSZGET, "BLKSSZGET");
    }

    /// {@return whether a block device is read-only}
    public static boolean isReadOnly(int fd) throws IOException {
        return ioctlInt(fd, BLKROGET, "BLKROGET") != 0;
    }

    /// Zeroes whole sectors of a block device, by the device itself where it can.
    public static void zeroOut(int fd, long offset, long size) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocateFrom(JAVA_LONG, offset, size);
            checked(ioctl(fd, BLKZEROOUT, range), fd, "BLKZEROOUT of " + size + " bytes at " + offset);
        }
    }

    private static int ioctlInt(int fd, long request, String name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            checked(ioctl(fd, request, value), fd, name);
            return value.get(JAVA_INT, 0);
        }
    }

    // ---- mounts

    /// Mounts a file system (mount(2)).
    ///
    /// @param flags `MS_RDONLY`, ...
    /// @param data options of the file system
    public static void mount(String source, Path folder, String type, long flags, String data) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocateFrom(source, NAMES);
            MemorySegment to = arena.allocateFrom(folder.toString(), NAMES);
            MemorySegment kind = arena.allocateFrom(type, NAMES);
            MemorySegment options = arena.allocateFrom(data, NAMES);
            checked(call(MOUNT, from, to, kind, word(flags), options), folder.toString(), "mount");
        }
    }

    /// Takes away what is mounted on a folder (umount(2)); where that is a link, it is not followed.
    ///
    /// @param lazily also if it is in use: those who do keep it, and nobody finds it any more
    public static void unmount(Path folder, boolean lazily) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(folder.toString(), NAMES);
            int flags = UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0);
            checked(call(UMOUNT2, name, word(flags)), folder.toString(), "umount");
        }
    }

    // ---- the process

    /// {@return the effective user's number: 0 for root}
    public static int user() {
        return (int) call(GETEUID);
    }

    /// {@return the effective group's number}
    public static int group() {
        return (int) call(GETEGID);
    }

    /// Gives the calling thread, and threads it starts later, the disk only when nobody else wants it.
    ///
    /// @return false if the kernel would not, or its number for the call is not known here
    public static boolean ioprioIdle() {
        long number = switch (System.getProperty("os.arch")) { // asm/unistd_64.h of each
            case "amd64", "x86_64" -> 251;
            case "aarch64", "riscv64" -> 30;
            case "ppc64le" -> 273;
            case "s390x" -> 282;
            default -> -1;
        };
        return number >= 0
                && call(SYSCALL, word(number), word(IOPRIO_WHO_PROCESS), word(0), word(IOPRIO_CLASS_IDLE)) == 0;
    }

    /// Says that the calling thread, and threads it starts later, serve a device that is written: they do not wait for what has been written
    /// there to be on its way, since that waits for them (PR_SET_IO_FLUSHER of prctl(2)). It is for root; others go on without.
    public static void serveWrites() {
        call(PRCTL, word(PR_SET_IO_FLUSHER), word(1), word(0), word(0), word(0));
    }

    /// {@return whether a descriptor is a terminal}
    public static boolean isatty(int fd) {
        return call(ISATTY, word(fd)) == 1;
    }

    /// {@return the columns of a terminal, or 0 if the descriptor is none or does not say}
    public static int terminalWidth(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment winsize = arena.allocate(MemoryLayout.sequenceLayout(4, JAVA_SHORT)); // rows, columns, pixels
            return ioctl(fd, TIOCGWINSZ, winsize) < 0 ? 0 : Short.toUnsignedInt(winsize.getAtIndex(JAVA_SHORT, 1));
        }
    }

    /// Makes `to` another name of the open file `from`.
    public static void dup2(int from, int to) throws IOException {
        checked(call(DUP2, word(from), word(to)), from, "dup2 to " + to);
    }

    /// Sets which permissions new files do not get.
    ///
    /// @return those of before
    public static int umask(int mask) {
        return (int) call(UMASK, word(mask));
    }

    /// Sends one message to a Unix datagram socket: the JDK has stream sockets alone.
    ///
    /// @param address a path, or a name of the abstract namespace after an `@` (sd_notify(3))
    public static void sendDatagram(String address, byte[] message) throws IOException {
        byte[] name = address.getBytes(NAMES);
        if (name.length >= ADDRESS_SIZE) {
            throw new IOException(address + ": too long for the address of a socket: expected at most " + (ADDRESS_SIZE - 1) + " bytes");
        }
        int fd = (int) checked(
                call(SOCKET, word(AF_UNIX), word(SOCK_DGRAM | SOCK_CLOEXEC), word(0)), address, "socket");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(2 + ADDRESS_SIZE);
            to.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, to, JAVA_BYTE, 2, name.length);
            if (address.startsWith("@")) {
                to.set(JAVA_BYTE, 2, (byte) 0);
            }
            MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, message);
            long size = message.length;
            checked(call(SENDTO, word(fd), bytes, word(size), word(0), to, word(2 + name.length)), address, "sendto");
        } finally {
            close(fd);
        }
    }

    // ---- how a call is made

    /// A function of libc.
    ///
    /// @param wide whether it returns 64 bits, and not an `int`
    private record Function(MemorySegment address, boolean wide) {}

    private static Function ints(String name) {
        return new Function(Linker.nativeLinker().defaultLookup().findOrThrow(name), false);
    }

    private static Function longs(String name) {
        return new Function(Linker.nativeLinker().defaultLookup().findOrThrow(name), true);
    }

    private static final Function CLOSE = ints("close");
    private static final Function DUP2 = ints("dup2");
    private static final Function FALLOCATE = ints("fallocate");
    private static final Function FLOCK = ints("flock");
    private static final Function FSYNC = ints("fsync");
    private static final Function FTRUNCATE = ints("ftruncate");
    private static final Function GETEGID = ints("getegid");
    private static final Function GETEUID = ints("geteuid");
    private static final Function IOCTL = ints("ioctl");
    private static final Function ISATTY = ints("isatty");
    private static final Function LSEEK = longs("lseek");
    private static final Function MADVISE = ints("madvise");
    private static final Function MINCORE = ints("mincore");
    private static final Function MMAP = longs("mmap");
    private static final Function MOUNT = ints("mount");
    private static final Function MPROTECT = ints("mprotect");
    private static final Function MUNMAP = ints("munmap");
    private static final Function OPEN = ints("open");
    private static final Function POSIX_FADVISE = ints("posix_fadvise");
    private static final Function PRCTL = ints("prctl");
    private static final Function PREAD = longs("pread");
    private static final Function PWRITE = longs("pwrite");
    private static final Function READ = longs("read");
    private static final Function SENDTO = longs("sendto");
    private static final Function SOCKET = ints("socket");
    private static final Function STRERROR = longs("strerror");
    private static final Function SYSCALL = longs("syscall");
    private static final Function SYSCONF = longs("sysconf");
    private static final Function UMASK = ints("umask");
    private static final Function UMOUNT2 = ints("umount2");
    private static final Function WRITE = longs("write");

    private static final int WORDS = 6;

    /// Calls any of them: six words in, one out.
    ///
    /// A type for each function would be the rule, but each takes a run some 20 ms to link. Where Linux runs Java, the first words go in registers,
    /// numbers and addresses alike, also those of variadic functions; what is in the others a function does not ask; and an `int` is a word whose upper half
    /// does not matter or extends its sign (System V ABI for AMD64 3.2.3, AAPCS64 6.8.2, RISC-V and Power ELF psABI).
    private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(
            FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS),
            Linker.Option.captureCallState("errno"), Linker.Option.firstVariadicArg(1));

    /// where the errno of calls goes that nobody asks for one
    private static final MemorySegment NO_ERRNO = Arena.global().allocate(Linker.Option.captureStateLayout());

    /// {@return a number as one word of a call}
    public static MemorySegment word(long number) {
        return MemorySegment.ofAddress(number);
    }

    /// {@return the result of a call, or its negated errno}
    private static long call(Function function, MemorySegment... words) {
        long result;
        do {
            result = once(function, words);
        } while (result == -SystemCallException.EINTR);
        return result;
    }

    private static long once(Function function, MemorySegment... words) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
            long result = invoke(function.address, errno, words);
            if (!function.wide) {
                result = (int) result;
            }
            return result == -1 ? -errno.get(JAVA_INT, 0) : result;
        }
    }

    /// Runs a function that is not of libc: machine code of ours, or of another library.
    ///
    /// @param words at most six; segments off the heap, which stay alive meanwhile
    /// @return what it returns; of an `int`, the lower half
    public static long run(MemorySegment function, MemorySegment... words) {
        return invoke(function, NO_ERRNO, words);
    }

    private static long invoke(MemorySegment function, MemorySegment errno, MemorySegment... words) {
        MemorySegment[] all = Arrays.copyOf(words, WORDS);
        Arrays.fill(all, words.length, WORDS, MemorySegment.NULL);
        try {
            return (long) CALL.invokeExact(function, errno, all[0], all[1], all[2], all[3], all[4], all[5]);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e); // a downcall throws nothing checked
        }
    }

    private static long checked(long result, int fd, String call) throws SystemCallException {
        return result >= 0 ? result : checked(result, name(fd), call);
    }

    private static long checked(long result, String where, String call) throws SystemCallException {
        if (result < 0) {
            throw new SystemCallException(where, call, (int) -result, reason((int) -result));
        }
        return result;
    }

    private static String name(int fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
        } catch (IOException e) {
            return "fd " + fd;
        }
    }

    private static String reason(int errno) {
        try {
            return MemorySegment.ofAddress(call(STRERROR, word(errno))).reinterpret(1024).getString(0);
        } catch (Throwable e) {
            return "errno " + errno;
        }
    }

    private static long seek(int fd, long offset, int whence) {
        return call(LSEEK, word(fd), word(offset), word(whence));
    }

    private static long ioctl(int fd, long request, MemorySegment argument) {
        return call(IOCTL, word(fd), word(request), argument);
    }

    private static boolean arm() {
        return System.getProperty("os.arch").equals("aarch64");
    }

    /// The encoding of file names, which follows the locale.
    private static final Charset NAMES = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
}
