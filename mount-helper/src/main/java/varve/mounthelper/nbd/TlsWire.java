package varve.mounthelper.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;

/// TLS over another wire.
final class TlsWire implements Wire {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Wire wire;
    private final SSLEngine engine;
    private final ByteBuffer received; // encrypted; ready to be read from
    private final ByteBuffer plain; // decrypted; ready to be read from
    private final ByteBuffer sent; // encrypted; for the holder of the lock
    private final ReentrantLock sending = new ReentrantLock();

    /// Shakes hands, as the server.
    TlsWire(Wire wire, SSLEngine engine) throws IOException {
        this.wire = wire;
        this.engine = engine;
        this.received = ByteBuffer.allocate(engine.getSession().getPacketBufferSize()).flip();
        this.plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).flip();
        this.sent = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.beginHandshake();
        while (engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
            if (engine.getHandshakeStatus() == HandshakeStatus.NEED_UNWRAP) {
                if (!unwrap()) {
                    throw new EOFException("the client went away during the TLS handshake");
                }
            } else {
                obey();
            }
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        while (!plain.hasRemaining()) {
            if (!unwrap()) {
                return -1;
            }
            obey();
        }
        int count = Math.min(into.remaining(), plain.remaining());
        into.put(plain.slice().limit(count));
        plain.position(plain.position() + count);
        return count;
    }

    /// Decrypts one record, received if need be.
    ///
    /// @return false at the end
    private boolean unwrap() throws IOException {
        while (true) {
            plain.compact();
            SSLEngineResult result = engine.unwrap(received, plain);
            plain.flip();
            if (result.getStatus() == Status.CLOSED) {
                return false;
            }
            if (result.getStatus() == Status.OK) {
                return true;
            }
            received.compact(); // part of a record is there
            int count = received.hasRemaining() ? wire.read(received) : -1;
            received.flip();
            if (count < 0) {
                return false;
            }
        }
    }

    /// Does what the engine wants done besides.
    private void obey() throws IOException {
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> {
                    for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                        task.run();
                    }
                }
                case NEED_WRAP -> write(NOTHING);
                default -> {
                    return;
                }
            }
        }
    }

    @Override
    public void write(ByteBuffer... from) throws IOException {
        sending.lock();
        try {
            do {
                sent.clear();
                Status status = engine.wrap(from, sent).getStatus();
                wire.write(sent.flip());
                if (status != Status.OK) {
                    throw new EOFException("TLS is closed");
                }
            } while (remaining(from));
        } finally {
            sending.unlock();
        }
    }

    private static boolean remaining(ByteBuffer... buffers) {
        for (ByteBuffer buffer : buffers) {
            if (buffer.hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void finish() throws IOException {
        sending.lock();
        try {
            engine.closeOutbound();
            while (!engine.isOutboundDone()) {
                sent.clear();
                engine.wrap(NOTHING, sent);
                wire.write(sent.flip());
            }
        } finally {
            sending.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
