package varve.archive.block;

import java.io.IOException;

/// A source or target could not be read or written as it should: an I/O error, a short read, a changed size.
/// The message names the device and the byte offset.
public final class DeviceException extends IOException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }

    public DeviceException(String message, IOException cause) {
        super(message, cause);
    }
}
