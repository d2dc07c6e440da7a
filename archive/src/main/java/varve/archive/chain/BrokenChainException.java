package varve.archive.chain;

import java.io.IOException;

/// No path of archives that are at hand leads to a point in time: fetch another file or medium.
public final class BrokenChainException extends IOException {
    private static final long serialVersionUID = 1L;

    public BrokenChainException(String message) {
        super(message);
    }
}
