package varve.mounthelper.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.JsonOption;
import varve.archive.cli.JsonText;
import varve.archive.cli.KeysOption;
import varve.archive.cli.LastWords;
import varve.archive.cli.Stdio;
import varve.archive.cli.Table;
import varve.archive.cli.UsageException;
import varve.archive.cli.VaultsOption;
import varve.archive.cli.Verb;
import varve.archive.format.Manifest;
import varve.archive.hash.Hashing;
import varve.archive.linux.Linux;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.mounthelper.fuse.FuseOptions;
import varve.mounthelper.fuse.FuseServer;
import varve.mounthelper.image.Images;
import varve.mounthelper.image.Points;
import varve.mounthelper.mount.MountOptions;
import varve.mounthelper.mount.Mounted;
import varve.mounthelper.mount.Mounter;
import varve.mounthelper.mount.RuntimeFolder;
import varve.mounthelper.mount.ServerException;
import varve.mounthelper.mount.VaultTree;
import varve.mounthelper.nbd.Supervisor;

/// `varve mount`: the file system in a point in time, or points as image files; without arguments, what is mounted.
@Command(
        name = "mount",
        description = {
            "Mount the file system in a point in time on a folder, every byte proved on its way out; or, with --images, show points as image files. "
                    + "Read-only, unless --writable names a file for what is written.",
            "",
            "Returns when it can be used; a process in the background serves it until varve umount. Without arguments, lists what is mounted.",
        })
public final class MountVerb implements Verb {

    private static final long PATIENCE_SECONDS = 60;

    @Parameters(arity = "0..*", paramLabel = "VOLUME@POINT",
            description = "What to mount: tools@latest, tools@2026-11-20, ...; then the folder to mount on. With --images, which points to show: all there are "
                    + "and will be if none is named.")
    private List<String> words = List.of();

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Mixin
    private OverlayOption overlay = new OverlayOption();

    @Option(names = "--images", paramLabel = "DIR", description = "Show points on this folder, as files VOLUME/TIME.img.")
    private @Nullable Path images;

    @Option(names = "--allow-other", description = "With --images: let other users look, too.")
    private boolean others;

    @Option(names = "--foreground", description = "With --images: serve from this process, until it is unmounted or ended.")
    private boolean foreground;

    @Option(names = "--partition", paramLabel = "N",
            description = "Mount the file system of this partition. Default: the one that holds a file system; varve partitions lists them.")
    private @Nullable Integer partition;

    @Option(names = "--type", paramLabel = "FS", description = "Take it for a file system of this type. Default: what it says by itself.")
    private @Nullable String type;

    @Option(names = {"-o", "--options"}, paramLabel = "OPTIONS", description = "More options for mount(8), behind those that keep it from writing.")
    private @Nullable String options;

    @Option(names = "--kernel-nbd", description = "Read the image by the kernel's NBD client, and not by FUSE and a loop device.")
    private boolean kernelNbd;

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.BRING_BACK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Hashing.warmUp(); // while vaults are looked at
        if (images == null && (foreground || others)) {
            throw new UsageException("--foreground and --allow-other are for --images");
        }
        if (images != null && (partition != null || type != null || options != null || kernelNbd)) {
            throw new UsageException("--images shows whole images: give a folder without --images to mount what is in one");
        }
        if (images != null && overlay.file().isPresent() && words.size() != 1) {
            throw new UsageException("--writable: of one VOLUME@POINT, there are " + words.size());
        }
        if (images != null) {
            return foreground ? serve(images, stdio) : inBackground(stdio, images);
        }
        return switch (words.size()) {
            case 0 -> {
                if (overlay.file().isPresent()) {
                    throw new UsageException("--writable: of what? give VOLUME@POINT and the folder to mount on");
                }
                yield list(stdio);
            }
            case 2 -> inBackground(stdio, Path.of(words.get(1)));
            default -> throw new UsageException("give VOLUME@POINT and the folder to mount on, or --images DIR");
        };
    }

    // ---- the server

    /// Serves images until somebody unmounts them, or it is ended.
    private ExitCode serve(Path folder, Stdio stdio) throws IOException, InterruptedException {
        List<PointName> names = words.stream().map(PointName::parse).toList();
        Supervisor supervisor = new Supervisor(System.getenv("NOTIFY_SOCKET"));
        Consumer<String> log = line -> stdio.err().println("varve: " + line);
        List<Vault> places = keys.open(vaults.open(warning -> log.accept("warning: " + warning)));
        overlay.checkPlace(places);
        boolean writable = overlay.file().isPresent();
        if (writable) {
            Linux.serveWrites();
        }
        CountDownLatch over = new CountDownLatch(1);
        try (Images opened = ServedImages.open(log);
                VaultTree tree = tree(new Points(places, Clock.systemUTC()), opened, names, log);
                FuseServer server = FuseServer.mount(folder, tree, new FuseOptions(writable, others), log)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(server, tree, over, log)));
            supervisor.ready("serves " + (names.isEmpty() ? "all points in time" : String.join(", ", words)));
            server.await();
            supervisor.stopping();
        } finally {
            over.countDown();
        }
        return ExitCode.OK;
    }

    private VaultTree tree(Points points, Images opened, List<PointName> names, Consumer<String> log) throws IOException {
        Instant now = Clock.systemUTC().instant();
        return overlay.file().isPresent()
                ? VaultTree.writable(points, opened, names.getFirst(), overlay.file().get(), now, log)
                : new VaultTree(points, opened, names, now, log);
    }

    private static void end(FuseServer server, VaultTree tree, CountDownLatch over, Consumer<String> log) {
        try {
            server.unmount();
            if (!over.await(1, TimeUnit.SECONDS)) { // whoever still has a file open gets errors
                tree.flush();
            }
        } catch (IOException e) {
            log.accept(e.getMessage() == null ? e.toString() : e.getMessage());
        } catch (InterruptedException e) {
            // then at once
        }
    }

    // ---- the one who starts it

    private ExitCode inBackground(Stdio stdio, Path folder) throws IOException, InterruptedException {
        RuntimeFolder runtime = RuntimeFolder.of(System.getenv());
        List<String> points = new ArrayList<>();
        List<Vault> places;
        if (images == null) {
            PointName name = PointName.parse(words.getFirst());
            places = vaults.open(name, stdio, stdio.warnings());
            points.add(resolve(places, name));
        } else {
            places = vaults.open(stdio.warnings());
            for (String word : words) {
                points.add(resolve(places, PointName.parse(word)));
            }
        }
        overlay.checkPlace(places);
        Mounter mounter = new Mounter(runtime, places, keys.files().stream().map(Path::toAbsolutePath).toList());
        CountDownLatch over = new CountDownLatch(1);
        Mounted[] mounted = new Mounted[1];
        try {
            LastWords.around(
                    () -> {
                        try {
                            mounted[0] = images == null
                                    ? mounter.fileSystem(points.getFirst(), folder, mountOptions())
                                    : mounter.images(folder, points, others, overlay.file());
                        } finally {
                            over.countDown();
                        }
                    },
                    () -> {
                        mounter.cancel();
                        await(over, stdio);
                    },
                    failure -> mounter.said().forEach(stdio.err()::println));
        } catch (ServerException e) {
            if (mounter.said().isEmpty()) {
                throw e;
            }
            return Arrays.stream(ExitCode.values()).filter(code -> code.number() == e.exitCode()).findFirst().orElse(ExitCode.IO);
        }
        Mounted.About about = mounted[0].about();
        stdio.say(about.points() + ": " + about.holds() + " on " + about.folder()
                + about.overlay().map(file -> ", writable: what is written goes to " + file).orElse(", read-only") + "; when done: varve umount " + about.folder());
        return ExitCode.OK;
    }

    /// {@return the full name of a point, which will not mean another one in a moment}
    private static String resolve(List<Vault> places, PointName name) throws IOException {
        FoundPoint found = FoundPoint.find(places, name);
        found.checkMeant(name);
        found.path();
        Manifest manifest = found.point().manifest();
        return manifest.volume() + "@" + Manifest.text(manifest.time());
    }

    private MountOptions mountOptions() {
        return new MountOptions(Optional.ofNullable(partition), Optional.ofNullable(type), Optional.ofNullable(options), overlay.file(), kernelNbd);
    }

    private static void await(CountDownLatch over, Stdio stdio) {
        try {
            if (!over.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                stdio.say("still at it; varve umount --all cleans up");
            }
        } catch (InterruptedException e) {
            // nobody does
        }
    }

    // ---- what there is

    private ExitCode list(Stdio stdio) throws IOException {
        List<Mounted> all = RuntimeFolder.of(System.getenv()).all();
        if (json.asked()) {
            try (JsonText text = new JsonText(stdio.out())) {
                text.object().array("mounts");
                for (Mounted mounted : all) {
                    Mounted.About about = mounted.about();
                    text.object()
                            .member("folder", about.folder().toString())
                            .member("points", about.points())
                            .member("holds", about.holds())
                            .member("overlay", about.overlay().map(Path::toString).orElse(null))
                            .member("process", mounted.process())
                            .member("served", mounted.served())
                            .end();
                }
            }
            return ExitCode.OK;
        }
        Table table = new Table("FOLDER", "POINT IN TIME", "HOLDS", "WRITTEN TO", "SERVED BY");
        for (Mounted mounted : all) {
            Mounted.About about = mounted.about();
            table.row(about.folder().toString(), about.points(), about.holds(), about.overlay().map(Path::toString).orElse("-"),
                    mounted.served() ? "process " + mounted.process() : "nobody: varve umount " + about.folder());
        }
        table.print(stdio.out(), "nothing is mounted");
        return ExitCode.OK;
    }
}
