package varve.archive.seal;

import java.io.IOException;

/// Something is not as age v1 demands, or was altered after it was sealed.
public final class AgeFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    public AgeFormatException(String message) {
        super(message);
    }
}
