package varve.testdata;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A small disk of its own: an image file, a loop device over it, and the folder where its file system is mounted.
///
/// Closing it unmounts and detaches, whatever state it is in; the image stays.
public final class Disk implements AutoCloseable {
    private final LoopDevice device;
    private final Path folder;
    private boolean mounted;

    private Disk(LoopDevice device, Path folder) {
        this.device = device;
        this.folder = folder;
    }

    /// {@return whether this process may attach and mount here}
    public static boolean available() {
        return LoopDevice.available();
    }

    /// Makes a disk with a new file system, not mounted yet.
    ///
    /// @param image a new file
    /// @param folder where to mount it; it is made
    /// @param mkfs the program and its options, such as `mkfs.ext4 -q`
    public static Disk format(Path image, long size, Path folder, Object... mkfs) throws IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), size - 1);
        }
        Files.createDirectories(folder);
        LoopDevice device = LoopDevice.attach(image);
        try {
            Object[] command = new Object[mkfs.length + 1];
            System.arraycopy(mkfs, 0, command, 0, mkfs.length);
            command[mkfs.length] = device.path();
            run(command);
            return new Disk(device, folder);
        } catch (IOException e) {
            device.close();
            throw e;
        }
    }

    /// {@return the loop device}
    public Path device() {
        return device.path();
    }

    /// {@return where it is mounted}
    public Path folder() {
        return folder;
    }

    public void mount(String options) throws IOException {
        run("mount", "-o", options, device.path(), folder);
        mounted = true;
    }

    public void remount(String options) throws IOException {
        run("mount", "-o", "remount," + options, folder);
    }

    public void unmount() throws IOException {
        run("umount", folder);
        mounted = false;
    }

    @Override
    public void close() throws IOException {
        try (device) {
            if (mounted) {
                run("umount", "--lazy", folder);
                mounted = false;
            }
        }
    }

    private static void run(Object... command) throws IOException {
        Tools.run(command).orElseThrow(() -> new IOException(command[0] + " is not installed")).expectSuccess();
    }
}
