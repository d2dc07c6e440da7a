package varve.mounthelper.mount;

import java.io.Closeable;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import varve.archive.file.Folder;
import varve.archive.linux.Linux;
import varve.archive.vault.LockedException;

/// A mount that varve has made in the background, or is about to make, or that a crash has left: a folder of its own, in which lie
///
/// | name | |
/// |---|---|
/// | `mount` | what it is, written before each step |
/// | `images` | where the image is served, if it is its file system that is mounted |
/// | `socket` | likewise, if the kernel's NBD client reads it |
/// | `log` | what the server says |
/// | `lock` | held by whoever is at work on it; dies with its owner |
///
/// What is really mounted and attached the kernel knows, and is asked; so there is nothing here that a crash could make wrong.
public final class Mounted {

    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int POLL_MILLIS = 20;

    private final Path home;
    private final About about;

    /// How a mount was made.
    public enum Way {
        /// the images themselves, as files
        IMAGES,
        /// the file system in an image, on a loop device
        LOOP,
        /// likewise, on a device of the kernel's NBD client
        NBD
    }

    /// What a mount is.
    ///
    /// @param points what of, for people
    /// @param folder where
    /// @param holds what is mounted, for people: `ext4, partition 2`
    /// @param overlay the file that what is written goes to, if it can be written
    /// @param device of the kernel's NBD client, if that is the way
    /// @param server that serves it, as soon as there is one
    public record About(
            Way way, String points, Path folder, String holds, Optional<Path> overlay, Optional<Path> device, Optional<Server> server) {

        About holding(String what) {
            return new About(way, points, folder, what, overlay, device, server);
        }

        About on(Path nbd) {
            return new About(way, points, folder, holds, overlay, Optional.of(nbd), server);
        }

        About servedBy(Server process) {
            return new About(way, points, folder, holds, overlay, device, Optional.of(process));
        }
    }

    private Mounted(Path home, About about) {
        this.home = home;
        this.about = about;
    }

    /// Notes down what a mount is, in its folder.
    static Mounted write(Path home, About about) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("way", about.way.name());
        properties.setProperty("points", about.points);
        properties.setProperty("folder", about.folder.toString());
        properties.setProperty("holds", about.holds);
        about.overlay.ifPresent(overlay -> properties.setProperty("overlay", overlay.toString()));
        about.device.ifPresent(device -> properties.setProperty("device", device.toString()));
        about.server.ifPresent(server -> {
            properties.setProperty("pid", Long.toString(server.pid()));
            properties.setProperty("started", server.started());
        });
        StringWriter text = new StringWriter();
        properties.store(text, null);
        Folder.replace(home.resolve("mount"), text.toString().getBytes(StandardCharsets.UTF_8));
        return new Mounted(home, about);
    }

    /// {@return what is noted down in a folder; nothing if it is gone, or was not begun}
    static Optional<Mounted> read(Path home) throws IOException {
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(Files.readString(home.resolve("mount"))));
            Optional<Server> server = Optional.ofNullable(properties.getProperty("pid"))
                    .map(pid -> new Server(Long.parseLong(pid), properties.getProperty("started", "")));
            About about = new About(
                    Way.valueOf(properties.getProperty("way", "")),
                    properties.getProperty("points", ""),
                    Path.of(properties.getProperty("folder", "/")),
                    properties.getProperty("holds", ""),
                    Optional.ofNullable(properties.getProperty("overlay")).map(Path::of),
                    Optional.ofNullable(properties.getProperty("device")).map(Path::of),
                    server);
            return Optional.of(new Mounted(home, about));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new IOException(home.resolve("mount") + ": not as varve has written it: " + e.getMessage(), e);
        }
    }

    public About about() {
        return about;
    }

    Path home() {
        return home;
    }

    /// {@return where the server mounts}
    Path images() {
        return about.way == Way.IMAGES ? about.folder : home.resolve("images");
    }

    Path socket() {
        return home.resolve("socket");
    }

    Path log() {
        return home.resolve("log");
    }

    /// {@return what the server has said, without what the JVM says}
    public List<String> said() throws IOException {
        try {
            return Files.readAllLines(log()).stream().filter(line -> !line.isBlank() && !line.startsWith("WARNING: ")).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /// {@return whether it is usable, as far as that can be told without touching it}
    public boolean served() {
        return about.server.filter(Server::alive).isPresent();
    }

    /// {@return the number of the process that serves it, or did; 0 if none has been started}
    public long process() {
        return about.server.map(Server::pid).orElse(0L);
    }

    /// Takes the right to change it.
    ///
    /// @throws LockedException if another process has it for a minute
    /// @throws NoSuchFileException if it is gone
    static Closeable lock(Path home) throws IOException, InterruptedException {
        int fd = Linux.open(home.resolve("lock"), Linux.O_RDWR | Linux.O_CREAT);
        try {
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (!Linux.flock(fd, true, false)) {
                if (System.nanoTime() - end > 0) {
                    throw new LockedException(home + ": another varve is at work on this mount");
                }
                Thread.sleep(POLL_MILLIS);
            }
            return () -> Linux.close(fd);
        } catch (Throwable e) {
            Linux.close(fd);
            throw e;
        }
    }

    /// Removes the folder; what is still mounted in it prevents that.
    static void remove(Path home) throws IOException {
        for (String name : List.of("images", "socket", "log", "mount", "lock")) {
            Files.deleteIfExists(home.resolve(name));
        }
        Files.deleteIfExists(home);
    }
}
