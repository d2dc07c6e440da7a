package varve.archive.sign;

import java.io.IOException;

/// Something that is not signed by a key that is believed, or not what was signed: it may be whole, but nobody vouches for it.
public final class UntrustedException extends IOException {
    private static final long serialVersionUID = 1L;

    public UntrustedException(String message) {
        super(message);
    }
}
