package varve.mounthelper.nbd;

import java.io.IOException;

/// A client broke a rule of the protocol in a way that leaves nothing but to hang up.
final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message);
    }
}
