package varve.archive.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import varve.archive.block.DeviceException;

/// Folders and small files that a power cut does not take back: content is on the medium when the file was synced, a name
/// when its folder was.
public final class Folder {

    private Folder() {}

    /// Makes a folder, and those above it that are missing.
    public static void create(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) {
            create(parent);
        }
        try {
            Files.createDirectory(folder);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
        if (parent != null) {
            sync(parent);
        }
    }

    /// Writes a file, over what it may have held; it is on the medium, its name perhaps not yet.
    public static void write(Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer rest = ByteBuffer.wrap(content);
            try {
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
                channel.force(true);
            } catch (IOException e) {
                throw new DeviceException(file + ": cannot write at " + rest.position() + ": " + e.getMessage(), e);
            }
        }
    }

    /// Gives a file another content, or makes it: whoever reads it sees the old or the new, also after a power cut.
    ///
    /// For one writer at a time.
    ///
    /// @throws DeviceException if something is there that is no file: a device that is there for others, say
    public static void replace(Path file, byte[] content) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new DeviceException(file + ": no regular file");
        }
        Path draft = file.resolveSibling(Stage.PREFIX + "-" + file.getFileName());
        try {
            write(draft, content);
        } catch (IOException e) {
            Files.deleteIfExists(draft);
            throw e;
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        sync(file.toAbsolutePath().getParent());
    }

    /// Opens a file of a vault for reading. A vault may come from anywhere: what is there under its name is looked at first, since
    /// opening a pipe would wait for somebody to write to it.
    ///
    /// @throws DeviceException if it is no file, or may not be read
    public static FileChannel open(Path file) throws IOException {
        try {
            if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
                throw new DeviceException(file + ": no regular file");
            }
            return FileChannel.open(file, StandardOpenOption.READ);
        } catch (AccessDeniedException e) {
            throw new DeviceException(file + ": permission denied", e);
        }
    }

    /// Reads a small file of a vault.
    ///
    /// @param most bytes to expect; of a larger file one more is read, so that the caller sees that it is too large
    /// @throws DeviceException if it is no file, or cannot or may not be read
    public static byte[] read(Path file, int most) throws IOException {
        try (FileChannel channel = open(file)) {
            ByteBuffer content = ByteBuffer.allocate((int) Math.min(channel.size(), most) + 1);
            try {
                while (content.hasRemaining() && channel.read(content) >= 0) {
                    // until the end
                }
            } catch (IOException e) {
                throw new DeviceException(file + ": cannot read at " + content.position() + ": " + e.getMessage(), e);
            }
            return Arrays.copyOf(content.array(), content.position());
        }
    }

    /// Waits until the names in a folder are on the medium.
    public static void sync(Path folder) throws IOException {
        if (folder.getFileSystem() != FileSystems.getDefault()) {
            return;
        }
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            try {
                channel.force(true);
            } catch (IOException e) {
                throw new DeviceException(folder + ": cannot write: " + e.getMessage(), e);
            }
        }
    }
}
