package varve.verify.source;

import java.io.IOException;

/// A hash list is damaged: make it again, or take another copy.
public final class DamagedListException extends IOException {
    private static final long serialVersionUID = 1L;

    public DamagedListException(String message) {
        super(message);
    }
}
