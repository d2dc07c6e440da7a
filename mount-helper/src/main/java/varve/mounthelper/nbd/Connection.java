package varve.mounthelper.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// One client, from its greeting to its end, in a thread of its own.
final class Connection implements Runnable {

    private final NbdServer server;
    private final String client;
    private final Share share;
    private final Wait sending = new Wait();
    private final Wait receiving = new Wait();
    private final long since = System.nanoTime();
    private volatile Wire wire;
    private volatile boolean cut;
    private volatile @Nullable Transmission transmission;

    /// @param client what to call it in messages
    Connection(NbdServer server, SocketChannel channel, String client) {
        this.server = server;
        this.wire = new SocketWire(channel);
        this.client = client;
        this.share = new Share(server.buffers());
    }

    @Override
    public void run() {
        try {
            Handshake handshake = new Handshake(server, this, wire);
            Optional<Session> session = handshake.run();
            if (session.isPresent()) {
                Replies replies = new Replies(this, wire, session.get().style());
                Transmission chosen = new Transmission(server, this, handshake.input(), session.get(), replies);
                transmission = chosen;
                chosen.run();
            }
            wire.finish();
        } catch (ProtocolException | SSLException e) {
            say(e.getMessage());
        } catch (EOFException | ClosedChannelException e) {
            // it went away, or was sent away
        } catch (IOException e) {
            // nobody is left to tell: connection reset, broken pipe
        } catch (Throwable e) {
            say("unexpected, please report it: " + e);
        } finally {
            cut();
            server.gone(this);
        }
    }

    /// Goes on over another wire: TLS.
    void upgrade(Wire upgraded) {
        wire = upgraded;
    }

    /// {@return whether it has come to reading and writing}
    boolean chosen() {
        return transmission != null;
    }

    /// {@return whether it waits for replies}
    boolean busy() {
        Transmission started = transmission;
        return started != null && started.busy();
    }

    /// {@return how long it has been there}
    long ageNanos(long now) {
        return now - since;
    }

    /// {@return the part of the server's buffers that it has}
    Share share() {
        return share;
    }

    /// {@return how long the client is taking to take what is sent to it}
    Wait sending() {
        return sending;
    }

    /// {@return how long the client is taking to send what belongs into a buffer}
    Wait receiving() {
        return receiving;
    }

    /// {@return for how long it has kept buffers for nothing}
    long stalledNanos(long now) {
        return cut || share.held() == 0 ? 0 : Math.max(sending.nanos(now), receiving.nanos(now));
    }

    /// Hangs up, whatever is under way.
    void cut() {
        cut = true;
        share.end();
        try {
            wire.close();
        } catch (IOException e) {
            // it is closed
        }
    }

    void say(String message) {
        server.say(client + ": " + message);
    }
}
