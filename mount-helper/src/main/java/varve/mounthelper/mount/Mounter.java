package varve.mounthelper.mount;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;
import varve.archive.partition.Layout;
import varve.archive.vault.LockedException;
import varve.archive.vault.Vault;
import varve.mounthelper.fuse.FuseServer;
import varve.mounthelper.mount.Mounted.About;
import varve.mounthelper.mount.Mounted.Way;
import varve.mounthelper.overlay.FoundOverlay;

/// Mounts points in time: starts a server in the background, and returns when what it serves can be used, or leaves nothing.
///
/// For the file system in an image, the server serves just that image into a folder of the mount's own, and mount(8) puts a loop device over
/// it, from where the partition begins to where it ends, read-only unless there is an overlay; the device goes when it is unmounted. It is this process that mounts, not
/// the server: see [varve.mounthelper.fuse.FuseServer].
public final class Mounter {

    private static final int POLL_MILLIS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(2); // for a server to begin
    private static final String READ_AHEAD = "1024"; // KiB

    private final RuntimeFolder folder;
    private final List<Vault> vaults;
    private final List<Path> identities;
    private @Nullable Process process; // of the server
    private List<String> said = List.of();
    private volatile boolean cancelled;

    /// @param identities files of keys that sealed archives are read with
    public Mounter(RuntimeFolder folder, List<Vault> vaults, List<Path> identities) {
        this.folder = folder;
        this.vaults = vaults;
        this.identities = identities;
    }

    /// Has the work given up as soon as possible, and undone.
    public void cancel() {
        cancelled = true;
    }

    /// Mounts points as image files.
    ///
    /// @param points all there are and will be if it is empty
    /// @param others whether other users may look, too
    /// @param overlay that what is written to the one point goes to
    public Mounted images(Path place, List<String> points, boolean others, Optional<Path> overlay) throws IOException, InterruptedException {
        Path at = checkPlace(place);
        String what = points.isEmpty() ? "all points" : String.join(", ", points);
        String holds = overlay.isPresent() ? "an image" : "images";
        return begin(new About(Way.IMAGES, what, at, holds, real(overlay), Optional.empty(), Optional.empty()), mounted -> {
            List<String> arguments = new ArrayList<>(List.of("mount", "--foreground", "--images", at.toString()));
            if (others) {
                arguments.add("--allow-other");
            }
            arguments.addAll(points);
            return serve(mounted, arguments);
        });
    }

    /// Mounts the file system in the image of a point.
    ///
    /// @param point its full name
    public Mounted fileSystem(String point, Path place, MountOptions options) throws IOException, InterruptedException {
        Path at = checkPlace(place);
        Way way = options.kernelNbd() ? Way.NBD : Way.LOOP;
        return begin(new About(way, point, at, "", real(options.overlay()), Optional.empty(), Optional.empty()), mounted -> options.kernelNbd() ? byNbd(mounted, options) : byLoop(mounted, options));
    }

    private static Path checkPlace(Path place) throws IOException {
        if (Linux.user() != 0) {
            throw FuseServer.notAllowed(place);
        }
        if (!Files.isDirectory(place)) {
            throw Files.exists(place) ? new RefusedException(place + ": is no folder") : new NoSuchFileException(place.toString(), null, "no such folder to mount on");
        }
        Path at = place.toRealPath();
        Optional<MountPoint> there = MountPoint.at(at);
        if (there.isPresent()) {
            throw new RefusedException(at + ": something is mounted there already: " + there.get().source() + " (" + there.get().type() + ")");
        }
        return at;
    }

    /// {@return a file that may not be there yet, as a path without links}
    private static Optional<Path> real(Optional<Path> file) throws IOException {
        return file.isPresent() ? Optional.of(RuntimeFolder.real(file.get())) : file;
    }

    /// Refuses an overlay that another mount writes to, by its name. The server would, too, without knowing whose it is.
    private void checkFree(Path overlay) throws IOException {
        for (Mounted other : folder.all()) {
            if (other.about().overlay().filter(overlay::equals).isPresent() && other.served()) {
                throw new LockedException(overlay + ": in use by " + other.about().points() + " on " + other.about().folder()
                        + ", which process " + other.process() + " serves; varve umount " + other.about().folder() + " first");
            }
        }
    }

    @FunctionalInterface
    private interface Step {
        Mounted take(Mounted mounted) throws IOException, InterruptedException;
    }

    /// Makes a mount, or leaves nothing of it.
    private Mounted begin(About about, Step step) throws IOException, InterruptedException {
        Optional<Path> fresh = about.overlay().filter(Files::notExists);
        if (about.overlay().isPresent()) {
            checkFree(about.overlay().get());
        }
        Path home = folder.create();
        try (Closeable lock = Mounted.lock(home)) {
            try {
                return step.take(Mounted.write(home, about));
            } catch (Throwable e) {
                undo(home, fresh, e);
                throw e;
            }
        }
    }

    /// {@return what the server has said if nothing came of it}
    public List<String> said() {
        return said;
    }

    /// @param fresh overlay, which was not there before
    private void undo(Path home, Optional<Path> fresh, Throwable cause) {
        try {
            said = Unmounter.takeDown(home, false);
            if (fresh.isPresent()) {
                FoundOverlay.discardIfEmpty(fresh.get());
            }
        } catch (IOException | InterruptedException e) {
            cause.addSuppressed(e);
        }
    }

    // ---- the server

    /// Starts the server and waits until the kernel has its file system.
    private Mounted serve(Mounted mounted, List<String> arguments) throws IOException, InterruptedException {
        Mounted served = start(mounted, arguments);
        await(served, () -> MountPoint.at(served.images()).filter(MountPoint::served).isPresent());
        return served;
    }

    private Mounted start(Mounted mounted, List<String> arguments) throws IOException {
        List<String> all = new ArrayList<>(arguments);
        if (mounted.about().overlay().isPresent()) {
            all.addAll(List.of("--writable", mounted.about().overlay().get().toString()));
        }
        for (Path identity : identities) {
            all.addAll(List.of("--identity", identity.toString()));
        }
        for (Vault vault : vaults) {
            all.addAll(List.of("--vault", vault.folder().toRealPath().toString()));
        }
        process = Server.start(all, mounted.log());
        return Mounted.write(mounted.home(), mounted.about().servedBy(Server.of(process)));
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    private void await(Mounted served, Condition ready) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!ready.holds()) {
            if (process != null && !process.isAlive()) {
                throw new ServerException(process.exitValue());
            }
            if (System.nanoTime() - end > 0) {
                throw new IOException("the server does not begin to serve; its process is " + served.process());
            }
            checkGoingOn();
            Thread.sleep(POLL_MILLIS);
        }
    }

    private void checkGoingOn() throws InterruptedIOException {
        if (cancelled) {
            throw new InterruptedIOException("interrupted");
        }
    }

    // ---- by way of a loop device

    private Mounted byLoop(Mounted mounted, MountOptions options) throws IOException, InterruptedException {
        Files.createDirectory(mounted.images());
        Mounted served = serve(mounted, List.of("mount", "--foreground", "--images", mounted.images().toString(), mounted.about().points()));
        readAhead(served);
        return mount(served, onlyFile(served.images()), options, true);
    }

    /// the image of the one point that is served
    private static Path onlyFile(Path images) throws IOException {
        try (Stream<Path> all = Files.walk(images)) {
            return all.filter(path -> path.toString().endsWith(".img")).findFirst().orElseThrow(() -> new NoSuchFileException(images.toString(), null, "no image"));
        }
    }

    /// Has the kernel read further ahead than it does by default: each request costs the way to the server and back.
    private static void readAhead(Mounted served) throws IOException {
        Optional<MountPoint> images = MountPoint.at(served.images());
        if (images.isPresent()) {
            try {
                Files.writeString(Path.of("/sys/class/bdi", images.get().number(), "read_ahead_kb"), READ_AHEAD);
            } catch (IOException e) {
                // only slower
            }
        }
    }

    private Mounted mount(Mounted served, Path image, MountOptions options, boolean loop) throws IOException, InterruptedException {
        checkGoingOn();
        Choice choice;
        long size;
        try (FileDevice device = FileDevice.open(image)) {
            size = device.size();
            choice = Choice.of(Layout.of(device), served.about().points(), options);
        }
        String holds = choice.type() + ", " + choice.region().name();
        Mounted noted = Mounted.write(served.home(), served.about().holding(holds));
        About about = noted.about();
        List<String> flags = new ArrayList<>(choice.options());
        boolean part = choice.region().offset() > 0 || choice.region().size() < size;
        if (loop || part) {
            flags.add("loop");
        }
        if (part) {
            flags.add("offset=" + choice.region().offset());
            flags.add("sizelimit=" + choice.region().size());
        }
        checkGoingOn();
        Optional<String> failure = Program.run(List.of("mount", "-t", choice.type(), "-o", String.join(",", flags), "--", image.toString(), about.folder().toString()));
        if (failure.isPresent()) {
            String reason = failure.get().replace("mount: " + about.folder() + ": ", "");
            throw new IOException(about.points() + ": " + holds + ": mount: " + reason + "; dmesg may say more");
        }
        if (about.overlay().isPresent() && MountPoint.at(about.folder()).filter(MountPoint::writable).isEmpty()) {
            throw new IOException(about.points() + ": " + holds + ": the kernel has mounted it read-only; dmesg may say why");
        }
        checkGoingOn();
        return noted;
    }

    // ---- by way of the kernel's NBD client

    private Mounted byNbd(Mounted mounted, MountOptions options) throws IOException, InterruptedException {
        Program.run(List.of("modprobe", "nbd"));
        if (freeDevice().isEmpty()) {
            throw new RefusedException("there is no free /dev/nbd0 or the like: the kernel has no nbd module, or all are in use; without --kernel-nbd none is needed");
        }
        Mounted served = start(mounted, List.of("serve", mounted.about().points(), "--socket", mounted.socket().toString()));
        await(served, () -> accepts(served.socket()));
        Path device = freeDevice().orElseThrow(() -> new RefusedException("all NBD devices of the kernel are in use"));
        About about = served.about().on(device);
        Mounted noted = Mounted.write(served.home(), about);
        List<String> client = new ArrayList<>(List.of("nbd-client", "-unix", served.socket().toString(), device.toString(), "-N", about.points()));
        if (about.overlay().isEmpty()) {
            client.add("-readonly");
        }
        Optional<String> failure = Program.run(client);
        if (failure.isPresent()) {
            throw new IOException(device + ": nbd-client: " + failure.get());
        }
        return mount(noted, device, options, false);
    }

    /// {@return whether somebody listens there; between the two steps that make a socket it is there, and nobody does}
    private static boolean accepts(Path socket) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return channel.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static Optional<Path> freeDevice() throws IOException {
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/sys/block"), "nbd*")) {
            for (Path device : devices) {
                Path node = Path.of("/dev").resolve(device.getFileName());
                if (!Files.exists(device.resolve("pid")) && Files.exists(node)) {
                    return Optional.of(node);
                }
            }
        }
        return Optional.empty();
    }
}
