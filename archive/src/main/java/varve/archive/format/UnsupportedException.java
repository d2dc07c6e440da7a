package varve.archive.format;

import java.io.IOException;

/// A file of a later version, or with a feature that this version does not know: upgrade.
public final class UnsupportedException extends IOException {
    private static final long serialVersionUID = 1L;

    public UnsupportedException(String message) {
        super(message);
    }
}
