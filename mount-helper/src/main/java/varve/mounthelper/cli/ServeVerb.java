package varve.mounthelper.cli;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.block.RefusedException;
import varve.archive.cli.ExitCode;
import varve.archive.cli.KeysOption;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.archive.hash.Hashing;
import varve.archive.linux.Linux;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.Restoration;
import varve.mounthelper.RestoreOptions;
import varve.mounthelper.image.Image;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;
import varve.mounthelper.nbd.Export;
import varve.mounthelper.nbd.Exports;
import varve.mounthelper.nbd.Listener;
import varve.mounthelper.nbd.NbdServer;
import varve.mounthelper.nbd.Settings;
import varve.mounthelper.nbd.Supervisor;
import varve.mounthelper.nbd.Tls;
import varve.mounthelper.nbd.VaultExports;
import varve.mounthelper.nbd.WritableExports;
import varve.mounthelper.overlay.Overlay;

/// `varve serve`: an NBD server.
@Command(
        name = "serve",
        description = {
            "Serve points in time as network block devices (NBD), every byte proved on its way out.",
            "",
            "Without VOLUME@POINT, all that the vault has now and will have. Prints the address of each export, then serves until "
                    + "SIGTERM or SIGINT.",
        })
public final class ServeVerb implements Verb {

    private static final Pattern ADDRESS = Pattern.compile("(?:(\\[[^]]+]|[^:]*):)?(\\d{1,5})");
    private static final String LOOPBACK = "127.0.0.1";
    private static final int MOST_PORT = 65535;
    private static final String USERS_FOLDER = "XDG_RUNTIME_DIR";

    @Parameters(arity = "0..*", paramLabel = "VOLUME@POINT", description = "What to serve: tools@latest, tools@2026-11-20, ...")
    private List<String> points = List.of();

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Option(names = "--socket", paramLabel = "PATH",
            description = "Listen on a Unix socket at PATH, for its owner alone. Default: one in a new folder of its own.")
    private @Nullable Path socket;

    @Option(names = "--listen", paramLabel = "[HOST:]PORT", description = "Listen on a TCP port instead. HOST is 127.0.0.1 if it is not said.")
    private @Nullable String listen;

    @Option(names = "--tls-certificate", paramLabel = "FILE",
            description = "Speak TLS alone, with this certificate (PEM, followed by those that sign it).")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "The key of the certificate (PEM, PKCS #8).")
    private @Nullable Path key;

    @Option(names = "--tls-authority", paramLabel = "FILE",
            description = "Let only clients in that have a certificate signed by one of these (PEM).")
    private @Nullable Path authority;

    @Mixin
    private OverlayOption overlay = new OverlayOption();

    @Option(names = "--pull", paramLabel = "TARGET",
            description = "Restore the one VOLUME@POINT to this file or device meanwhile, as varve restore does: what clients ask for first.")
    private @Nullable Path pull;

    @Option(names = "--overwrite", paramLabel = "TARGET",
            description = "Name the target of --pull again if it is a device or a file that exists: what is there is lost.")
    private @Nullable Path overwrite;

    @Option(names = "--idle-timeout", paramLabel = "SECONDS", description = "End when there has been no client for so long.")
    private @Nullable Long idle;

    @Override
    public Purpose purpose() {
        return Purpose.BRING_BACK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        Hashing.warmUp(); // while vaults are looked at
        CountDownLatch over = new CountDownLatch(1);
        try {
            run(stdio, over);
        } finally {
            over.countDown();
        }
        return ExitCode.OK;
    }

    /// @param over is counted down when everything is closed
    private void run(Stdio stdio, CountDownLatch over) throws IOException {
        Settings settings = new Settings(tls(), idle());
        Optional<InetSocketAddress> tcp = tcp();
        List<PointName> names = points.stream().map(PointName::parse).toList();
        checkOptions();
        Supervisor supervisor = new Supervisor(System.getenv("NOTIFY_SOCKET"));
        Consumer<String> log = line -> stdio.err().println("varve: " + line);
        List<Vault> places = keys.open(vaults.open(warning -> log.accept("warning: " + warning)));
        overlay.checkPlace(places);
        if (overlay.file().isPresent()) {
            Linux.serveWrites();
        }
        try (Restoration restoration = pull == null ? null : Restoration.open(places, names.getFirst(), pull, background());
                Images images = ServedImages.open(log);
                Offer offer = offer(new VaultExports(new Points(places, Clock.systemUTC()), images, names, log));
                Listener listener = listener(tcp);
                NbdServer server = new NbdServer(offer.exports, settings, log);
                Pull pulling = restoration == null ? null : pull(restoration, offer, places, stdio)) {
            announce(stdio, offer.exports, listener, settings);
            supervisor.ready("serves " + (names.isEmpty() ? "all points in time" : String.join(", ", points)));
            if (pulling != null) {
                pulling.start();
            }
            boolean told = serve(server, listener, supervisor, over);
            if (pulling != null) {
                pulling.end(!told, offer.overlay());
            }
        }
    }

    /// Serves until it is over; at a signal the process waits for the end of it.
    ///
    /// @return whether it was a signal
    private static boolean serve(NbdServer server, Listener listener, Supervisor supervisor, CountDownLatch over) throws IOException {
        AtomicBoolean told = new AtomicBoolean();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            told.set(true);
            server.end();
            try {
                over.await();
            } catch (InterruptedException e) {
                // then at once
            }
        }));
        try (listener) {
            server.run(listener);
            supervisor.stopping();
        }
        return told.get();
    }

    /// one thread for two cores: clients come first
    private static RestoreOptions background() {
        return new RestoreOptions(false, Math.max(1, Runtime.getRuntime().availableProcessors() / 2), 0, true, Optional.empty());
    }

    private Pull pull(Restoration restoration, Offer offer, List<Vault> places, Stdio stdio) throws IOException {
        Image image = offer.points.first();
        if (!restoration.plan().manifest().state().equals(image.state())) {
            throw new RefusedException(points.getFirst() + ": a point in time was recorded just now; give the same command again");
        }
        restoration.checkNamed(Optional.ofNullable(overwrite));
        image.prefer(restoration.holding());
        return new Pull(restoration, places, overlay.file().isPresent(), stdio);
    }

    private void checkOptions() {
        boolean writable = overlay.file().isPresent();
        if (points.size() != 1 && (writable || pull != null)) {
            throw new UsageException((writable ? "--writable" : "--pull") + ": of one VOLUME@POINT, there are " + points.size());
        }
        if (overwrite != null && !overwrite.equals(pull)) {
            throw new UsageException("--overwrite " + overwrite + ": " + (pull == null ? "there is no --pull" : "the target is " + pull + "; both have to be the same"));
        }
        if (pull != null && overlay.file().equals(Optional.of(pull))) {
            throw new UsageException("--writable and --pull: both name " + pull + "; they are two files");
        }
    }

    /// What is served; closed when it is over.
    ///
    /// @param over the same with an overlay in front, if there is one
    private record Offer(VaultExports points, Optional<WritableExports> over, Exports exports) implements Closeable {

        Optional<Overlay> overlay() {
            return over.map(WritableExports::overlay);
        }

        @Override
        public void close() throws IOException {
            if (over.isPresent()) {
                over.get().close();
            } else {
                points.close();
            }
        }
    }

    private Offer offer(VaultExports exports) throws IOException {
        if (overlay.file().isEmpty()) {
            return new Offer(exports, Optional.empty(), exports);
        }
        try {
            WritableExports over = new WritableExports(exports, overlay.file().get(), Clock.systemUTC());
            return new Offer(exports, Optional.of(over), over);
        } catch (Throwable e) {
            exports.close();
            throw e;
        }
    }

    /// Prints where clients find the exports.
    private void announce(Stdio stdio, Exports exports, Listener listener, Settings settings) throws IOException {
        boolean secure = settings.tls().isPresent();
        if (listener.remote() && !secure) {
            stdio.err().println("varve: warning: everybody who reaches " + listen + " can read "
                    + (overlay.file().isEmpty() ? "" : "and write ") + "all that is served; see --tls-authority");
        }
        List<Export> listed = points.isEmpty() ? List.of() : exports.list();
        if (listed.isEmpty()) {
            stdio.out().println(listener.uri("", secure));
        }
        for (Export export : listed) {
            stdio.out().println(listener.uri(export.name(), secure));
        }
        stdio.out().flush();
    }

    private Listener listener(Optional<InetSocketAddress> tcp) throws IOException {
        if (tcp.isPresent()) {
            return Listener.tcp(tcp.get());
        }
        if (socket != null) {
            return Listener.unix(socket);
        }
        Optional<Listener> passed = Listener.passed(System.getenv("LISTEN_PID"), System.getenv("LISTEN_FDS"));
        return passed.isPresent() ? passed.get() : Listener.unixIn(privateFolder());
    }

    private static Path privateFolder() {
        String users = System.getenv(USERS_FOLDER);
        return users != null && Files.isDirectory(Path.of(users)) ? Path.of(users) : Path.of(System.getProperty("java.io.tmpdir"));
    }

    private Optional<InetSocketAddress> tcp() {
        if (listen == null) {
            return Optional.empty();
        }
        if (socket != null) {
            throw new UsageException("--socket and --listen: give one of them");
        }
        Matcher matcher = ADDRESS.matcher(listen);
        if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > MOST_PORT) {
            throw new UsageException("--listen " + listen + ": expected such as 10809, 0.0.0.0:10809 or [::1]:10809");
        }
        String host = matcher.group(1) == null || matcher.group(1).isEmpty() ? LOOPBACK : matcher.group(1);
        InetSocketAddress address = new InetSocketAddress(host, Integer.parseInt(matcher.group(2)));
        if (address.isUnresolved()) {
            throw new UsageException("--listen " + listen + ": there is no host of that name");
        }
        return Optional.of(address);
    }

    private Optional<Tls> tls() throws IOException {
        if (certificate == null && key == null && authority == null) {
            return Optional.empty();
        }
        if (certificate == null || key == null) {
            throw new UsageException("TLS needs both --tls-certificate and --tls-key");
        }
        return Optional.of(Tls.load(certificate, key, Optional.ofNullable(authority)));
    }

    private Optional<Duration> idle() {
        if (idle != null && (idle < 1 || idle > Integer.MAX_VALUE)) {
            throw new UsageException("--idle-timeout " + idle + ": expected 1 or more");
        }
        return Optional.ofNullable(idle).map(Duration::ofSeconds);
    }
}
