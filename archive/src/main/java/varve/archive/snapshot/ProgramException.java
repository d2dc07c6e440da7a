package varve.archive.snapshot;

import java.io.IOException;

/// Another program did not do what it was asked for. The message has its command line, how it ended, and what it said.
public final class ProgramException extends IOException {
    private static final long serialVersionUID = 1L;

    ProgramException(String message) {
        super(message);
    }
}
