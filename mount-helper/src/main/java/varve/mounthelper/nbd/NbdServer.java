package varve.mounthelper.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// A server: takes connections, and looks after them, until it is told to end or has been idle for long enough.
///
/// What a client may do to it is bounded: connections, the time of a handshake, requests under way, memory. A client that
/// breaks the protocol, or keeps memory that others wait for, is sent away; the others go on.
///
/// Safe for use by several threads. Close it when it has ended.
public final class NbdServer implements Closeable {

    private static final long BUFFERS = 48 << 20; // the largest payload, and something for the others
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int MOST_LINES = 100; // that clients can make the server say in a minute
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Exports exports;
    private final Settings settings;
    private final Consumer<String> log;
    private final Buffers buffers;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicLong count = new AtomicLong();
    private long lastClient = System.nanoTime(); // guarded by this
    private boolean ended; // guarded by this: nobody is let in any more
    private volatile boolean ending;
    private long minute; // guarded by log
    private int lines; // guarded by log

    /// @param log takes lines for whoever runs the server
    public NbdServer(Exports exports, Settings settings, Consumer<String> log) throws IOException {
        this.exports = exports;
        this.settings = settings;
        this.log = log;
        this.buffers = new Buffers(BUFFERS, settings.patience(), this::cutMostStalled);
    }

    /// Serves who connects, until [#end] is called or the server has been idle for as long as it was to wait; then
    /// requests under way are finished, if that does not take too long, and all clients are gone.
    public void run(Listener listener) throws IOException {
        Thread accepting = Thread.ofPlatform().name("varve-accept").daemon().start(() -> accept(listener.channel()));
        try {
            awaitEnd();
        } finally {
            ending = true;
            listener.close();
            leave();
            join(accepting);
        }
    }

    /// Has the server end.
    public void end() {
        synchronized (this) {
            ended = true;
            notifyAll();
        }
    }

    private void accept(ServerSocketChannel listener) {
        boolean told = false;
        while (true) {
            try {
                SocketChannel channel = listener.accept();
                told = false;
                welcome(channel);
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) { // too many open files, say: it will pass
                if (!told) {
                    log.accept("cannot take a connection: " + e.getMessage());
                }
                told = true;
                pause();
            }
        }
    }

    private void welcome(SocketChannel channel) throws IOException {
        Connection connection = new Connection(this, channel, client(channel));
        synchronized (this) {
            if (ended || connections.size() >= settings.mostConnections()) {
                connection.say("sent away, there are " + connections.size() + " clients already");
                connection.cut();
                return;
            }
            connections.add(connection);
        }
        Thread.ofVirtual().name("varve-nbd").start(connection);
    }

    private String client(SocketChannel channel) throws IOException {
        String name = "client " + count.incrementAndGet();
        try {
            if (channel.getRemoteAddress() instanceof InetSocketAddress address) {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true); // section "Protocol phases"
                channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
                return name + " from " + address.getAddress().getHostAddress();
            }
            return name;
        } catch (Throwable e) { // gone already
            channel.close();
            throw e;
        }
    }

    void gone(Connection connection) {
        synchronized (this) {
            connections.remove(connection);
            lastClient = System.nanoTime();
            notifyAll();
        }
    }

    private synchronized void awaitEnd() {
        lastClient = System.nanoTime();
        while (!ended) {
            long now = System.nanoTime();
            for (Connection connection : connections) {
                if (!connection.chosen() && connection.ageNanos(now) > settings.handshake().toNanos()) {
                    connection.say("sent away, it has not chosen an export in " + settings.handshake().toSeconds() + " s");
                    connection.cut();
                }
            }
            long idle = connections.isEmpty() ? now - lastClient : 0;
            ended = settings.idle().isPresent() && idle > settings.idle().get().toNanos();
            if (!ended) {
                await(LOOK.toNanos());
            }
        }
    }

    /// Waits until clients have their replies, then sends them away.
    private synchronized void leave() {
        long start = System.nanoTime();
        while (connections.stream().anyMatch(Connection::busy) && System.nanoTime() - start < settings.patience().toNanos()) {
            await(TimeUnit.MILLISECONDS.toNanos(20));
        }
        connections.forEach(Connection::cut);
        while (!connections.isEmpty()) {
            await(LOOK.toNanos());
        }
    }

    private void await(long nanos) {
        try {
            TimeUnit.NANOSECONDS.timedWait(this, nanos);
        } catch (InterruptedException e) {
            ended = true;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(LOOK);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Memory is short: hangs up on the client that has kept the server waiting for longest, if that is long.
    private void cutMostStalled() {
        long now = System.nanoTime();
        connections.stream()
                .max(Comparator.comparingLong(connection -> connection.stalledNanos(now)))
                .filter(connection -> connection.stalledNanos(now) > settings.patience().toNanos())
                .ifPresent(connection -> {
                    connection.say("sent away, it does not take what it asked for, and others wait for the memory");
                    connection.cut();
                });
    }

    Exports exports() {
        return exports;
    }

    Settings settings() {
        return settings;
    }

    Buffers buffers() {
        return buffers;
    }

    /// {@return whether the server is on its way out}
    boolean ending() {
        return ending;
    }

    /// Says something that clients can bring about as often as they like.
    void say(String line) {
        synchronized (log) {
            long now = System.nanoTime();
            if (lines == 0 || now - minute > MINUTE) {
                minute = now;
                lines = 0;
            }
            lines++;
            if (lines < MOST_LINES) {
                log.accept(line);
            } else if (lines == MOST_LINES) {
                log.accept("there would be more to say of clients; it is left out for a minute");
            }
        }
    }

    @Override
    public void close() {
        buffers.close();
    }
}
