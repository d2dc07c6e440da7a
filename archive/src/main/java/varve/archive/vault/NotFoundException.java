package varve.archive.vault;

import java.io.IOException;

/// There is no such vault, volume or point in time.
public final class NotFoundException extends IOException {
    private static final long serialVersionUID = 1L;

    public NotFoundException(String message) {
        super(message);
    }
}
