package varve.testdata;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

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
        Disk disk = attach(image, folder);
        try {
            Object[] command = Arrays.copyOf(mkfs, mkfs.length + 1);
            command[mkfs.length] = disk.device();
            run(command);
            return disk;
        } catch (IOException e) {
            disk.close();
            throw e;
        }
    }

    /// Makes a disk of an image that holds a file system, not mounted yet.
    public static Disk attach(Path image, Path folder) throws IOException {
        Files.createDirectories(folder);
        return new Disk(LoopDevice.attach(image), folder);
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
