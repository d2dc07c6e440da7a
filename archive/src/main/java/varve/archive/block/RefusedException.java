package varve.archive.block;

import java.io.IOException;

/// What was asked for would do harm, so nothing was done: the target is mounted, held, too small, or was not named.
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    public RefusedException(String message) {
        super(message);
    }
}
