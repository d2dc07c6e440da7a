package varve.mounthelper.fuse;

import java.io.IOException;

/// A request that is answered with an error, of which nobody else has to know.
final class FuseException extends IOException {

    private static final long serialVersionUID = 1L;

    // asm-generic/errno-base.h, errno.h
    static final int ENOENT = 2;
    static final int EIO = 5;
    static final int ENXIO = 6;
    static final int EBADF = 9;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int EROFS = 30;
    static final int ENOSYS = 38;
    static final int EPROTO = 71;
    static final int EOPNOTSUPP = 95;
    static final int ESTALE = 116;

    private final int errno;

    FuseException(int errno) {
        super("errno " + errno);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }
}
