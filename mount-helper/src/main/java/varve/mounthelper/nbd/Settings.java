package varve.mounthelper.nbd;

import java.time.Duration;
import java.util.Optional;

/// How a server treats its clients.
///
/// @param tls with which all of them have to speak
/// @param idle after how long without a client the server ends by itself
/// @param handshake how long a client may take to choose an export
/// @param patience how long a client that does not take what it asked for may keep memory that others wait for, and how long
///     the server waits for requests under way when it ends
/// @param mostConnections at a time
public record Settings(
        Optional<Tls> tls, Optional<Duration> idle, Duration handshake, Duration patience, int mostConnections) {

    private static final Duration HANDSHAKE = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int MOST_CONNECTIONS = 512;

    public Settings(Optional<Tls> tls, Optional<Duration> idle) {
        this(tls, idle, HANDSHAKE, PATIENCE, MOST_CONNECTIONS);
    }
}
