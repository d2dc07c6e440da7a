package varve.mounthelper.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/// A socket as it is.
record SocketWire(SocketChannel channel) implements Wire {

    @Override
    public int read(ByteBuffer into) throws IOException {
        return channel.read(into);
    }

    @Override
    public void write(ByteBuffer... from) throws IOException {
        for (int i = 0; i < from.length; ) {
            if (from[i].hasRemaining()) {
                channel.write(from, i, from.length - i);
            } else {
                i++;
            }
        }
    }

    @Override
    public void finish() {}

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
