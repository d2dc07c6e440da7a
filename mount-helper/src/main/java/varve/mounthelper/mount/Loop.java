package varve.mounthelper.mount;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A loop device that is attached.
///
/// @param device such as `/dev/loop0`
/// @param backing the file behind it, as the kernel calls it: without the folders above it if what it lies in is not mounted any more
record Loop(Path device, Path backing) {

    private static final Path BLOCK = Path.of("/sys/block");

    static List<Loop> all() throws IOException {
        List<Loop> all = new ArrayList<>();
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(BLOCK, "loop*")) {
            for (Path device : devices) {
                try {
                    String backing = Files.readString(device.resolve("loop/backing_file")).strip();
                    all.add(new Loop(Path.of("/dev").resolve(device.getFileName()), Path.of(backing)));
                } catch (NoSuchFileException e) {
                    // not attached
                }
            }
        } catch (NoSuchFileException e) {
            // no /sys, so nobody to ask
        }
        return all;
    }
}
