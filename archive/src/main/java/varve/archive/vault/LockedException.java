package varve.archive.vault;

import java.io.IOException;

/// Another process is at work on the volume.
public final class LockedException extends IOException {
    private static final long serialVersionUID = 1L;

    public LockedException(String message) {
        super(message);
    }
}
