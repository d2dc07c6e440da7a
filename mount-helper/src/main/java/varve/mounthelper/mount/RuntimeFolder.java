package varve.mounthelper.mount;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import varve.archive.block.RefusedException;

/// Where mounts are noted down, each in a folder of its own; gone after a reboot, as they are.
///
/// @param folder for its owner alone
public record RuntimeFolder(Path folder) {

    private static final String STANDARD = "/run/varve";

    /// {@return the one that VARVE_RUNTIME says, or `/run/varve`}
    public static RuntimeFolder of(Map<String, String> environment) {
        String named = environment.getOrDefault("VARVE_RUNTIME", "");
        return new RuntimeFolder(Path.of(named.isEmpty() ? STANDARD : named).toAbsolutePath());
    }

    private Path mounts() {
        return folder.resolve("mounts");
    }

    /// Makes the folder of a new mount.
    Path create() throws IOException {
        makePrivate(folder);
        makePrivate(mounts());
        Path home = mounts().resolve(UUID.randomUUID().toString().substring(0, 8));
        Files.createDirectory(home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return home;
    }

    private static void makePrivate(Path folder) throws IOException {
        try {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            if (!Files.getOwner(folder).equals(Files.getOwner(Path.of("/proc/self"))) || !Files.isDirectory(folder)) {
                throw new RefusedException(folder + ": not a folder of ours");
            }
        }
    }

    /// {@return the folders of all mounts}
    List<Path> homes() throws IOException {
        List<Path> homes = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(mounts())) {
            all.forEach(homes::add);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (AccessDeniedException e) {
            throw new RefusedException(mounts() + ": what is mounted there is another user's; ask as root, or whoever has mounted it");
        }
        homes.sort(null);
        return homes;
    }

    /// {@return all mounts that are noted down}
    public List<Mounted> all() throws IOException {
        List<Mounted> all = new ArrayList<>();
        for (Path home : homes()) {
            Mounted.read(home).ifPresent(all::add);
        }
        return all;
    }

    /// {@return the mount on a folder: the last one, if there are several}
    public Optional<Mounted> at(Path place) throws IOException {
        Path real = real(place);
        return all().stream().filter(mounted -> mounted.about().folder().equals(real)).reduce((a, b) -> b);
    }

    /// {@return a path without links, without looking at what is mounted there: that may be dead}
    static Path real(Path place) throws IOException {
        Path absolute = place.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent == null) {
            return absolute;
        }
        Path there = parent.toRealPath().resolve(absolute.getFileName());
        return Files.isSymbolicLink(there) ? there.toRealPath() : there;
    }
}
