package varve.archive.seal;

import java.io.IOException;

/// What is sealed cannot be opened with the keys at hand: give another key.
public final class WrongKeyException extends IOException {
    private static final long serialVersionUID = 1L;

    public WrongKeyException(String message) {
        super(message);
    }
}
