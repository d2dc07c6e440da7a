package varve.mounthelper.mount;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;
import varve.archive.vault.NotFoundException;

/// Takes down what [Mounter] has made, also if the server or the one who mounted was killed in the middle of it: nothing is left, neither mount, nor loop
/// device, process or folder of ours.
public final class Unmounter {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int POLL_MILLIS = 10;

    private final RuntimeFolder folder;

    public Unmounter(RuntimeFolder folder) {
        this.folder = folder;
    }

    /// Takes down the mount on a folder.
    ///
    /// @param lazily also if it is in use
    /// @return what the server has said, findings of damage above all, and where what was written is
    /// @throws RefusedException if it is in use: tells by whom
    /// @throws NotFoundException if varve has mounted nothing there
    public List<String> unmount(Path place, boolean lazily) throws IOException, InterruptedException {
        Optional<Mounted> mounted = folder.at(place);
        if (mounted.isPresent()) {
            return takeDownLocked(mounted.get().home(), lazily);
        }
        Path real = RuntimeFolder.real(place);
        if (MountPoint.at(real).filter(MountPoint::served).isEmpty()) {
            throw new NotFoundException(place + ": varve has mounted nothing there; varve mount shows what it has");
        }
        unmountFolder(real, lazily); // served in the foreground, by whoever started it
        return List.of();
    }

    /// Takes down all mounts.
    ///
    /// @param problems takes what could not be done, and why
    /// @return likewise, of all
    public List<String> unmountAll(boolean lazily, List<IOException> problems) throws IOException, InterruptedException {
        List<String> said = new ArrayList<>();
        for (Path home : folder.homes().reversed()) {
            try {
                said.addAll(takeDownLocked(home, lazily));
            } catch (IOException e) {
                problems.add(e);
            }
        }
        return said;
    }

    private static List<String> takeDownLocked(Path home, boolean lazily) throws IOException, InterruptedException {
        try (Closeable lock = Mounted.lock(home)) {
            Optional<Mounted> mounted = Mounted.read(home);
            List<String> said = new ArrayList<>(takeDown(home, lazily));
            mounted.map(Mounted::about).ifPresent(about -> about.overlay().filter(Files::exists)
                    .ifPresent(overlay -> said.add("varve: what was written to " + about.points() + " is in " + overlay + "; to keep it: varve archive overlay:"
                            + overlay + ", to forget it: varve overlay discard " + overlay)));
            return said;
        } catch (NoSuchFileException e) {
            return List.of(); // another did it
        }
    }

    /// Takes down a mount, for who holds its lock.
    static List<String> takeDown(Path home, boolean lazily) throws IOException, InterruptedException {
        Optional<Mounted> found = Mounted.read(home);
        if (found.isEmpty()) {
            Mounted.remove(home); // it was not begun
            return List.of();
        }
        Mounted mounted = found.get();
        if (lazily && mounted.about().overlay().isPresent() && mounted.served()) {
            Program.run(List.of("sync", "--file-system", mounted.about().folder().toString())); // nobody will write what is left when the server has gone
        }
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!unmountLayers(mounted, lazily, System.nanoTime() > end)) {
            Thread.sleep(POLL_MILLIS);
        }
        end(mounted);
        unmountLayers(mounted, lazily, true); // a server that was about to begin may have begun since
        List<String> said = mounted.said();
        Mounted.remove(home);
        return said;
    }

    /// Unmounts what lies upon what, the last first.
    ///
    /// @param last whether there is no other try
    /// @return false if there has to be one, since a mount(8) whose varve was killed is just about to lay a loop device over the images
    private static boolean unmountLayers(Mounted mounted, boolean lazily, boolean last) throws IOException, InterruptedException {
        Mounted.Way way = mounted.about().way();
        if (way != Mounted.Way.IMAGES) {
            if (ours(mounted)) {
                unmountFolder(mounted.about().folder(), lazily);
            }
            detach(mounted, lazily);
        }
        if (way == Mounted.Way.NBD || MountPoint.at(mounted.images()).filter(MountPoint::served).isEmpty()) {
            return true;
        }
        try {
            unmountFolder(mounted.images(), lazily);
            return true;
        } catch (RefusedException e) {
            if (last || way == Mounted.Way.IMAGES) {
                throw e;
            }
            return false;
        }
    }

    /// {@return whether what is mounted on the folder is what we have mounted there, and not something else since}
    private static boolean ours(Mounted mounted) throws IOException {
        Optional<MountPoint> there = MountPoint.at(mounted.about().folder());
        if (there.isEmpty()) {
            return false;
        }
        Path source = Path.of(there.get().source());
        return source.equals(mounted.about().device().orElse(null)) || loops(mounted).contains(source);
    }

    /// {@return the loop devices over what the mount serves}
    private static List<Path> loops(Mounted mounted) throws IOException {
        return Loop.all().stream()
                .filter(loop -> loop.backing().startsWith(mounted.home()) || mounted.about().device().map(loop.backing()::equals).orElse(false))
                .map(Loop::device)
                .toList();
    }

    private static void unmountFolder(Path place, boolean lazily) throws IOException {
        try {
            Linux.unmount(place, lazily);
        } catch (SystemCallException e) {
            if (e.errno() == SystemCallException.EBUSY) {
                List<String> users = Users.of(place);
                throw new RefusedException(place + ": in use" + (users.isEmpty() ? "" : " by " + String.join("; ", users))
                        + "; nothing was unmounted (--lazy does it all the same)");
            }
            throw e;
        }
    }

    /// Waits until the loop devices have gone, which they do by themselves after the last one has let go; those that do not are told to.
    private static void detach(Mounted mounted, boolean lazily) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos() / 10;
        List<Path> loops = loops(mounted);
        while (!loops.isEmpty() && System.nanoTime() - end < 0) {
            Thread.sleep(POLL_MILLIS);
            loops = loops(mounted);
        }
        for (Path loop : loops) {
            List<String> where = MountPoint.all().stream().filter(mount -> mount.source().equals(loop.toString())).map(mount -> mount.folder().toString()).toList();
            if (!where.isEmpty() && !lazily) {
                throw new RefusedException(loop + ": also mounted on " + String.join(", ", where) + "; unmount that first");
            }
            Program.run(List.of("losetup", "--detach", loop.toString()));
        }
        Optional<Path> device = mounted.about().device();
        if (device.isPresent() && Files.exists(Path.of("/sys/block").resolve(device.get().getFileName()).resolve("pid"))) {
            Program.run(List.of("nbd-client", "-d", device.get().toString()));
        }
    }

    private static void end(Mounted mounted) throws InterruptedException {
        Optional<Server> server = mounted.about().server();
        if (server.isPresent()) {
            server.get().end();
            server.get().awaitEnd(PATIENCE);
        }
    }
}
