package varve.archive.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What is mounted where, and what `/etc/fstab` says should be: to tell a disk from the empty folder that is left when it is
/// not mounted.
///
/// @param table fstab(5): may be missing
/// @param mounted proc_pid_mountinfo(5): may be missing
public record Mounts(Path table, Path mounted) {

    private static final List<Path> REMOVABLE = List.of(Path.of("/mnt"), Path.of("/media"), Path.of("/run/media"));

    private static final Path ROOT = Path.of("/");

    public static Mounts ofSystem() {
        return new Mounts(Path.of("/etc/fstab"), Path.of("/proc/self/mountinfo"));
    }

    /// {@return the mount point of `/etc/fstab` that a path lies in, if nothing is mounted there}
    public Optional<Path> missing(Path path) throws IOException {
        Path real = real(path);
        Path at = deepest(column(mounted, 4), real);
        Path planned = deepest(column(table, 1), real);
        return planned.getNameCount() > at.getNameCount() ? Optional.of(planned) : Optional.empty();
    }

    /// {@return whether a path lies where removable disks are mounted, but on the file system of the system itself}
    public boolean seemsUnmounted(Path path) throws IOException {
        Path real = real(path);
        Optional<Path> place = REMOVABLE.stream().filter(real::startsWith).findFirst();
        return place.isPresent() && deepest(column(mounted, 4), real).getNameCount() < place.get().getNameCount();
    }

    /// {@return the path without links, as far as it exists}
    private static Path real(Path path) throws IOException {
        Path absolute = path.toAbsolutePath().normalize();
        for (Path there = absolute; there != null; there = there.getParent()) {
            if (Files.exists(there)) {
                return there.toRealPath().resolve(there.relativize(absolute));
            }
        }
        return absolute;
    }

    private static Path deepest(List<Path> points, Path path) {
        return points.stream().filter(path::startsWith).reduce(ROOT, (a, b) -> b.getNameCount() > a.getNameCount() ? b : a);
    }

    private static List<Path> column(Path file, int number) throws IOException {
        String text;
        try {
            text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return List.of();
        }
        List<Path> points = new ArrayList<>();
        for (String line : text.split("\n")) {
            List<String> fields = Arrays.stream(line.strip().split("[ \t]+")).toList();
            if (!line.startsWith("#") && fields.size() > number && fields.get(number).startsWith("/")) {
                points.add(Path.of(unescape(fields.get(number))));
            }
        }
        return points;
    }

    /// {@return the text in which `\040` and the like stand for what would break the columns of mountinfo, fstab and swaps}
    public static String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\' && text.substring(i + 1).matches("(?s)[0-3][0-7]{2}.*")) {
                plain.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                plain.append(text.charAt(i));
            }
        }
        return plain.toString();
    }
}
