package varve.mounthelper.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import varve.archive.linux.Mounts;

/// A place where something is mounted, as the kernel has it: proc_pid_mountinfo(5).
///
/// @param folder where
/// @param writable whether it may be written, as far as this mount is concerned
/// @param number of the file system's device, `major:minor`
/// @param type of the file system
/// @param source such as `/dev/loop0`
record MountPoint(Path folder, boolean writable, String number, String type, String source) {

    private static final Path TABLE = Path.of("/proc/self/mountinfo");

    /// {@return all of them, in the order in which they were mounted}
    static List<MountPoint> all() throws IOException {
        List<MountPoint> all = new ArrayList<>();
        for (String line : Files.readAllLines(TABLE)) {
            String[] fields = line.split(" ");
            int dash = line.indexOf(" - ");
            String[] rest = line.substring(dash + 3).split(" ");
            if (dash > 0 && fields.length > 5 && rest.length > 1) {
                all.add(new MountPoint(Path.of(Mounts.unescape(fields[4])), !fields[5].matches("(.*,)?ro(,.*)?"), fields[2], rest[0], Mounts.unescape(rest[1])));
            }
        }
        return all;
    }

    /// {@return what is seen in a folder because it was mounted there last}
    static Optional<MountPoint> at(Path folder) throws IOException {
        return all().stream().filter(mount -> mount.folder.equals(folder)).reduce((a, b) -> b);
    }

    /// {@return whether varve serves it}
    boolean served() {
        return type.equals("fuse.varve");
    }
}
