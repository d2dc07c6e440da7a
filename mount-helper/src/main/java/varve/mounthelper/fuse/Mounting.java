package varve.mounthelper.fuse;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;

/// Mounts and unmounts `/dev/fuse`.
final class Mounting {

    static final Path DEVICE = Path.of("/dev/fuse");

    private Mounting() {}

    /// {@return the open device, whose requests have to be answered from now on}
    static int mount(Path folder, FuseOptions options, int user, int group) throws IOException {
        int device = open(folder);
        try {
            String data = "fd=" + device + ",rootmode=40000,user_id=" + user + ",group_id=" + group + ",default_permissions"
                    + (options.others() ? ",allow_other" : "");
            long flags = Linux.MS_NOSUID | Linux.MS_NODEV | (options.writable() ? 0 : Linux.MS_RDONLY);
            Linux.mount("varve", folder, "fuse.varve", flags, data);
            return device;
        } catch (SystemCallException e) {
            Linux.close(device);
            throw e.errno() == SystemCallException.EPERM ? FuseServer.notAllowed(folder) : e;
        } catch (Throwable e) {
            Linux.close(device);
            throw e;
        }
    }

    private static int open(Path folder) throws IOException {
        try {
            return Linux.open(DEVICE, Linux.O_RDWR);
        } catch (AccessDeniedException e) {
            throw Linux.user() == 0 ? e : FuseServer.notAllowed(folder); // who is root would not be helped by that
        }
    }

    static void unmount(Path folder) throws IOException {
        try {
            Linux.unmount(folder, true);
        } catch (SystemCallException e) {
            if (e.errno() != SystemCallException.EINVAL && e.errno() != SystemCallException.ENOENT) { // nothing is mounted there
                throw e;
            }
        }
    }
}
