package varve.verify.status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import varve.archive.vault.VolumeLock;

/// Which volumes are locked, as the kernel lists its locks (proc_locks(5)).
///
/// To try a lock would be simpler, but a job that starts in that moment would find it taken and give up. What another container
/// holds is not listed.
final class KernelLocks {

    private static final Path LIST = Path.of("/proc/locks");

    private final Set<Long> inodes = new HashSet<>();

    /// @throws IOException if the kernel does not tell
    static KernelLocks read() throws IOException {
        return new KernelLocks(Files.readAllLines(LIST));
    }

    /// @param lines such as `1: FLOCK  ADVISORY  WRITE 708 fe:00:13548 0 EOF`; those of waiting processes have `->` behind the number
    KernelLocks(List<String> lines) {
        for (String line : lines) {
            String[] words = line.trim().split("\\s+");
            if (words.length > 5 && words[1].equals("FLOCK")) {
                String place = words[5]; // the device need not be that of stat(2): on btrfs it is another
                inodes.add(Long.parseLong(place.substring(place.lastIndexOf(':') + 1)));
            }
        }
    }

    /// {@return whether somebody holds the lock of a folder}
    boolean held(Path folder) throws IOException {
        OptionalLong inode = VolumeLock.inode(folder);
        return inode.isPresent() && inodes.contains(inode.getAsLong());
    }
}
