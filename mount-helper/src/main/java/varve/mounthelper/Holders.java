package varve.mounthelper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import varve.archive.linux.Mounts;

/// Who uses a block device or a file, as far as `/proc` and `/sys` tell: one line each, for people.
///
/// A mount, swap, or a device on top holds a device, and the kernel refuses a second holder. A virtual machine that
/// merely has it open does not, so processes that have it open for writing are looked for as well. Where this process may
/// not look, nothing is found.
final class Holders {

    private static final Path PROC = Path.of("/proc");
    private static final Path BLOCK = Path.of("/sys/block");
    private static final int S_IFMT = 0xf000;
    private static final int LOOKS = 5;
    private static final long PAUSE_NANOS = 100_000_000;

    private Holders() {}

    /// {@return who uses a block device or a part of it}
    static List<String> ofDevice(Path device) throws IOException {
        List<String> found = new ArrayList<>();
        Path sys = sys(device);
        List<String> names = new ArrayList<>();
        names.add(text(sys.resolve("dev")));
        names.addAll(each(sys, entry -> Files.exists(entry.resolve("partition")) ? text(entry.resolve("dev")) : ""));
        for (String line : lines(PROC.resolve("self/mountinfo"))) {
            String[] fields = line.split(" "); // proc_pid_mountinfo(5): id, parent, major:minor, root, mount point
            int dash = line.indexOf(" - ");
            String source = dash < 0 ? "" : Mounts.unescape(line.substring(dash + 3).split(" ")[1]);
            if (fields.length > 4 && (names.contains(fields[2]) || same(device, Path.of("/").resolve(source)))) {
                found.add("mounted on " + Mounts.unescape(fields[4]));
            }
        }
        found.addAll(swap(device));
        found.addAll(stacked(sys));
        found.addAll(each(sys, entry -> Files.exists(entry.resolve("partition")) ? String.join("; ", stacked(entry)) : ""));
        found.addAll(writers(device));
        return List.copyOf(new TreeSet<>(found));
    }

    /// {@return who uses a regular file in a way that replacing or overwriting it would break}
    static List<String> ofFile(Path file) throws IOException {
        List<String> found = new ArrayList<>();
        found.addAll(each(BLOCK, entry -> {
            Path backing = entry.resolve("loop/backing_file");
            return Files.exists(backing) && same(file, Path.of(text(backing))) ? "behind the loop device /dev/" + entry.getFileName() : "";
        }));
        found.addAll(swap(file));
        found.addAll(writers(file));
        return found;
    }

    /// {@return the file behind a loop device}
    static Optional<Path> backingFile(Path device) throws IOException {
        Path backing = sys(device).resolve("loop/backing_file");
        return Files.exists(backing) ? Optional.of(Path.of(text(backing))) : Optional.empty();
    }

    private static Path sys(Path device) throws IOException {
        long number = (long) Files.getAttribute(device, "unix:rdev");
        return Path.of("/sys/dev/block/" + major(number) + ":" + minor(number));
    }

    private static List<String> stacked(Path sys) {
        return each(sys.resolve("holders"), entry -> "held by the device /dev/" + entry.getFileName());
    }

    private static List<String> swap(Path path) throws IOException {
        return lines(PROC.resolve("swaps")).stream()
                .skip(1)
                .filter(line -> same(path, Path.of("/").resolve(Mounts.unescape(line.split("\\s+")[0]))))
                .map(line -> "swap space in use")
                .toList();
    }

    /// Other processes that have the device or file open for writing, and keep it so: losetup(8), udev and their like open devices for a moment, to
    /// look at them.
    private static List<String> writers(Path path) throws IOException {
        Identity identity = Identity.of(path);
        List<String> found = new ArrayList<>(writers(identity));
        for (int look = 1; look < LOOKS && !found.isEmpty(); look++) {
            LockSupport.parkNanos(PAUSE_NANOS);
            found.retainAll(writers(identity));
        }
        return found;
    }

    private static List<String> writers(Identity identity) throws IOException {
        String self = String.valueOf(ProcessHandle.current().pid());
        return each(PROC, process -> {
            String pid = process.getFileName().toString();
            if (!Character.isDigit(pid.charAt(0)) || pid.equals(self)) {
                return "";
            }
            boolean writes = !each(process.resolve("fd"), fd -> isOpenForWriting(process, fd, identity) ? "yes" : "").isEmpty();
            return writes ? "open for writing in process " + pid + " (" + text(process.resolve("comm")) + ")" : "";
        });
    }

    private static boolean isOpenForWriting(Path process, Path fd, Identity identity) throws IOException {
        if (!Files.readSymbolicLink(fd).toString().startsWith("/") || !Identity.of(fd).equals(identity)) {
            return false;
        }
        for (String line : lines(process.resolve("fdinfo").resolve(fd.getFileName()))) {
            if (line.startsWith("flags:")) {
                int accessMode = 3;
                return (Integer.parseInt(line.substring(6).strip(), 8) & accessMode) != 0;
            }
        }
        return false;
    }

    /// What makes two paths the same: the number of a device, the inode of a file.
    private record Identity(boolean device, long number, long inode) {
        static Identity of(Path path) throws IOException {
            Map<String, Object> stat = Files.readAttributes(path, "unix:mode,rdev,dev,ino");
            int blockDevice = 0x6000;
            return ((int) stat.get("mode") & S_IFMT) == blockDevice
                    ? new Identity(true, (long) stat.get("rdev"), 0)
                    : new Identity(false, (long) stat.get("dev"), (long) stat.get("ino"));
        }
    }

    private static boolean same(Path a, Path b) {
        try {
            return Identity.of(a).equals(Identity.of(b));
        } catch (IOException e) {
            return false;
        }
    }

    @FunctionalInterface
    private interface Describer {
        /// {@return what to say of an entry of a folder, or nothing}
        String describe(Path entry) throws IOException;
    }

    private static List<String> each(Path folder, Describer describer) {
        List<String> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String text = quietly(entry, describer);
                if (!text.isEmpty()) {
                    found.add(text);
                }
            }
        } catch (IOException e) {
            // not there, or not ours to look into
        }
        return found;
    }

    private static String quietly(Path entry, Describer describer) {
        try {
            return describer.describe(entry);
        } catch (IOException e) {
            return ""; // a process or descriptor that is gone by now
        }
    }

    private static List<String> lines(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file).strip();
    }

    /// makedev(3)
    private static long major(long number) {
        return (number >>> 8 & 0xfff) | (number >>> 32 & ~0xfffL);
    }

    private static long minor(long number) {
        return (number & 0xff) | (number >>> 12 & ~0xffL);
    }
}
