package varve.mounthelper.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;

/// Where a server takes connections. Closing it leaves nothing behind.
public final class Listener implements Closeable {

    private static final int S_IFMT = 0xf000;
    private static final int S_IFSOCK = 0xc000;
    private static final int OWNER_ONLY = 0177; // what others may not: anything; the owner: execute
    private static final int FIRST_PASSED = 3; // sd_listen_fds(3)
    private static final int BACKLOG = 128;

    private final ServerSocketChannel channel;
    private final Optional<Path> socket;
    private final Optional<Object> socketKey;
    private final Optional<Path> folder;

    private Listener(ServerSocketChannel channel, Optional<Path> socket, Optional<Path> folder) throws IOException {
        this.channel = channel;
        this.socket = socket;
        this.socketKey = socket.isPresent() ? Optional.of(key(socket.get())) : Optional.empty();
        this.folder = folder;
    }

    /// Listens on a Unix socket that nobody but its owner may connect to. What a server that was killed has left at its path is
    /// replaced.
    ///
    /// @throws RefusedException if there is something else at its path, or a server that answers
    public static Listener unix(Path path) throws IOException {
        return unix(path, Optional.empty());
    }

    /// Listens on a Unix socket in a new folder that is its owner's alone.
    ///
    /// @param parent of the folder
    public static Listener unixIn(Path parent) throws IOException {
        Path folder = Files.createTempDirectory(parent, "varve-"); // with mode 0700
        try {
            return unix(folder.resolve("nbd.sock"), Optional.of(folder));
        } catch (Throwable e) {
            Files.delete(folder);
            throw e;
        }
    }

    private static Listener unix(Path path, Optional<Path> folder) throws IOException {
        removeLeft(path);
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            int before = Linux.umask(OWNER_ONLY); // nothing else makes files while a server starts
            try {
                channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
            } catch (IOException e) {
                throw new IOException(path + ": cannot listen there: " + e.getMessage(), e);
            } finally {
                Linux.umask(before);
            }
            return new Listener(channel, Optional.of(path), folder);
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    private static void removeLeft(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (((int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & S_IFMT) != S_IFSOCK) {
            throw new RefusedException(path + ": exists, and is no socket; give another path");
        }
        try {
            SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
            throw new RefusedException(path + ": a server listens there; end it, or give another path");
        } catch (ConnectException e) {
            Files.deleteIfExists(path); // nobody does any more
        }
    }

    /// Listens on a TCP port.
    public static Listener tcp(InetSocketAddress address) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(address, BACKLOG);
            return new Listener(channel, Optional.empty(), Optional.empty());
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw new IOException(address.getHostString() + ":" + address.getPort() + ": cannot listen there: " + e.getMessage(), e);
        }
    }

    /// Listens on the socket that systemd has passed: sd_listen_fds(3).
    ///
    /// @param pid that it is for, as the environment says; may be null
    /// @param count of sockets, likewise
    /// @return nothing if there is none for this process
    /// @throws RefusedException if there are several, or it is none that a server can listen on
    public static Optional<Listener> passed(@org.jspecify.annotations.Nullable String pid, @org.jspecify.annotations.Nullable String count) throws IOException {
        if (pid == null || count == null || !pid.equals(String.valueOf(ProcessHandle.current().pid()))) {
            return Optional.empty();
        }
        if (!count.equals("1")) {
            throw new RefusedException("LISTEN_FDS: expected one socket, found " + count);
        }
        Linux.dup2(FIRST_PASSED, 0); // the only place where the JDK looks for one
        Channel inherited = System.inheritedChannel();
        if (!(inherited instanceof ServerSocketChannel channel)) {
            throw new RefusedException("LISTEN_FDS: expected a stream socket that listens (ListenStream=, Accept=no), found something else");
        }
        return Optional.of(new Listener(channel, Optional.empty(), Optional.empty()));
    }

    ServerSocketChannel channel() {
        return channel;
    }

    /// {@return whether others than this machine's own processes may connect}
    public boolean remote() throws IOException {
        return channel.getLocalAddress() instanceof InetSocketAddress address && !address.getAddress().isLoopbackAddress();
    }

    /// {@return how a client calls an export: the NBD project's doc/uri.md}
    /// @param export may be empty
    public String uri(String export, boolean tls) throws IOException {
        SocketAddress address = channel.getLocalAddress();
        String scheme = tls ? "nbds" : "nbd";
        if (address instanceof InetSocketAddress tcp) {
            String host = tcp.getAddress().isAnyLocalAddress() ? "localhost" : tcp.getAddress().getHostAddress();
            return scheme + "://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + tcp.getPort() + "/" + encode(export);
        }
        Path path = ((UnixDomainSocketAddress) address).getPath().toAbsolutePath();
        return scheme + "+unix:///" + encode(export) + "?socket=" + encode(path.toString()).replace("%2F", "/");
    }

    /// percent-encodes all but what RFC 3986 section 3.3 lets stand in a segment of a path
    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("%40", "@").replace("%3A", ":");
    }

    private static Object key(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    }

    @Override
    public void close() throws IOException {
        channel.close();
        if (socket.isPresent() && Files.exists(socket.get(), LinkOption.NOFOLLOW_LINKS) && key(socket.get()).equals(socketKey.get())) {
            Files.deleteIfExists(socket.get());
        }
        if (folder.isPresent()) {
            Files.deleteIfExists(folder.get());
        }
    }
}
