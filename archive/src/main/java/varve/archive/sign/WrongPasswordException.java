package varve.archive.sign;

import java.io.IOException;

/// A secret key that cannot be opened, for want of the right password.
public final class WrongPasswordException extends IOException {
    private static final long serialVersionUID = 1L;

    WrongPasswordException(String message) {
        super(message);
    }
}
