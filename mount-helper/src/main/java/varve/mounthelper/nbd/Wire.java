package varve.mounthelper.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/// The bytes to and from one client. One thread reads, one at a time writes.
interface Wire extends Closeable {

    /// Reads some bytes.
    ///
    /// @return how many; -1 at the end
    int read(ByteBuffer into) throws IOException;

    /// Writes all of some buffers, in order.
    void write(ByteBuffer... from) throws IOException;

    /// Says farewell, where the wire has a way to do that, before it is closed.
    void finish() throws IOException;

    /// Cuts the wire, whoever reads or writes.
    @Override
    void close() throws IOException;
}
