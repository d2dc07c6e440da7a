package varve.mounthelper.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;

/// A server in this process, on a Unix socket, with little patience.
final class TestServer implements AutoCloseable {

    static final Settings SETTINGS =
            new Settings(Optional.empty(), Optional.empty(), Duration.ofMinutes(5), Duration.ofMillis(200), 100);

    private final List<String> log;
    private final Path socket;
    private final NbdServer server;
    private final Thread running;
    private final Closeable served;

    private TestServer(Exports exports, Settings settings, List<String> log, Closeable served) throws IOException {
        this.log = log;
        this.socket = Files.createTempDirectory("varve").resolve("s");
        this.server = new NbdServer(exports, settings, log::add);
        this.served = served;
        Listener listener = Listener.unix(socket);
        this.running = Thread.ofPlatform().start(() -> {
            try (listener) {
                server.run(listener);
            } catch (IOException e) {
                log.add(e.toString());
            }
        });
    }

    /// Serves anything.
    static TestServer serve(Exports exports, Settings settings) throws IOException {
        return new TestServer(exports, settings, new CopyOnWriteArrayList<>(), () -> {});
    }

    /// Serves points of a vault; all if none is named.
    static TestServer serve(Path vault, String... points) throws IOException {
        return serve(vault, SETTINGS, points);
    }

    static TestServer serve(Path vault, Settings settings, String... points) throws IOException {
        return serve(List.of(vault), settings, points);
    }

    /// Serves points of several vaults.
    static TestServer serve(List<Path> vaults, Settings settings, String... points) throws IOException {
        List<String> log = new CopyOnWriteArrayList<>();
        Images images = new Images(log::add);
        List<PointName> names = Stream.of(points).map(PointName::parse).toList();
        List<Vault> open = new ArrayList<>();
        for (Path vault : vaults) {
            open.add(Vault.open(vault));
        }
        VaultExports exports = new VaultExports(new Points(open, Clock.systemUTC()), images, names, log::add);
        return new TestServer(exports, settings, log, () -> {
            exports.close();
            images.close();
        });
    }

    Path socket() {
        return socket;
    }

    /// {@return how a client calls an export}
    String uri(String export) {
        return "nbd+unix:///" + export + "?socket=" + socket;
    }

    List<String> log() {
        return log;
    }

    void end() {
        server.end();
    }

    /// Waits until it has ended by itself.
    void awaitEnd() throws InterruptedException {
        running.join();
    }

    @Override
    public void close() throws IOException, InterruptedException {
        end();
        awaitEnd();
        server.close();
        served.close();
        Files.deleteIfExists(socket);
        Files.delete(socket.getParent());
    }
}
