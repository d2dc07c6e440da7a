package varve.mounthelper.mount;

import java.io.IOException;

/// A server that ended before it served. Why is in what it has said.
public final class ServerException extends IOException {

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    ServerException(int exitCode) {
        super("the server has ended: exit code " + exitCode);
        this.exitCode = exitCode;
    }

    /// {@return its exit code}
    public int exitCode() {
        return exitCode;
    }
}
