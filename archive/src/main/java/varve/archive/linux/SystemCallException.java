package varve.archive.linux;

import java.io.IOException;

/// A system call that the kernel refused: the message names the file, the call and the kernel's reason.
public final class SystemCallException extends IOException {
    private static final long serialVersionUID = 1L;

    // asm-generic/errno-base.h, errno.h: those that a caller has a reason to tell apart
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int ENXIO = 6;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int ENODEV = 19;
    public static final int EINVAL = 22;
    public static final int ENOSPC = 28;
    public static final int ESPIPE = 29;
    public static final int ENOSYS = 38;
    public static final int EOPNOTSUPP = 95;
    public static final int ENOTCONN = 107;

    private final int errno;
    private final String reason;

    SystemCallException(String where, String call, int errno, String reason) {
        super(where + ": " + call + ": " + reason);
        this.errno = errno;
        this.reason = reason;
    }

    public int errno() {
        return errno;
    }

    /// {@return the kernel's reason in words: `No space left on device`}
    public String reason() {
        return reason;
    }
}
