package varve.verify;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import varve.archive.block.DeviceException;
import varve.archive.file.Folder;
import varve.archive.linux.Linux;

/// A file that is made anew beside the old one, proved, and then takes its name in one step: whoever looks sees the old or the new.
///
/// Closed before [#swap], it leaves nothing. What a run that dies leaves has a name of its own, and the next run removes it.
final class Replacement implements Closeable {

    private static final String STAGE = ".varve-stage-heal-";

    private final Path file;
    private final Path stage;
    private final FileChannel channel;

    Replacement(Path file) throws IOException {
        this.file = file;
        this.stage = file.resolveSibling(STAGE + file.getFileName());
        this.channel = FileChannel.open(stage,
                StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    /// Removes what runs that died have left in a folder.
    static void removeLeftovers(Path folder) throws IOException {
        List<Path> left;
        try (Stream<Path> content = Files.list(folder)) {
            left = content.filter(path -> path.getFileName().toString().startsWith(STAGE)).toList();
        }
        for (Path path : left) {
            Files.delete(path);
        }
    }

    /// {@return the new file, while it does not have its name yet}
    Path stage() {
        return stage;
    }

    void write(long position, MemorySegment bytes) throws IOException {
        try {
            ByteBuffer rest = bytes.asByteBuffer();
            while (rest.hasRemaining()) {
                channel.write(rest, position + rest.position());
            }
        } catch (IOException e) {
            throw failure(position, e);
        }
    }

    /// Takes over a part of the old file; where the file system can, both share it from now on.
    void keep(FileChannel old, long from, long to) throws IOException {
        try {
            for (long at = from; at < to; ) {
                channel.position(at);
                long count = old.transferTo(at, to - at, channel);
                if (count <= 0) {
                    throw new DeviceException(file + ": ends at " + at + ", expected " + to + ": it shrank");
                }
                at += count;
            }
        } catch (DeviceException e) {
            throw e;
        } catch (IOException e) {
            throw failure(from, e);
        }
    }

    /// Ends the file and brings it to the medium: what is read of it from now on comes from there.
    void finish(long size) throws IOException {
        try {
            if (channel.size() < size) {
                channel.write(ByteBuffer.allocate(1), size - 1);
            }
            channel.truncate(size);
            channel.force(true);
        } catch (IOException e) {
            throw failure(size, e);
        }
        int fd = Linux.open(stage, Linux.O_RDONLY);
        try {
            Linux.dropCache(fd, 0, 0);
        } finally {
            Linux.close(fd);
        }
    }

    /// Puts the finished file in the place of the old one, whose owner and mode it gets.
    void swap() throws IOException {
        if (Files.exists(file)) {
            copyOwner();
        }
        Files.move(stage, file, StandardCopyOption.ATOMIC_MOVE);
        Folder.sync(file.toAbsolutePath().getParent());
    }

    private void copyOwner() throws IOException {
        for (String attribute : List.of("unix:uid", "unix:gid", "unix:mode")) {
            Object old = Files.getAttribute(file, attribute);
            if (!old.equals(Files.getAttribute(stage, attribute))) {
                Files.setAttribute(stage, attribute, old);
            }
        }
    }

    private DeviceException failure(long position, IOException e) {
        return new DeviceException(stage + ": cannot write at " + position + ": " + e.getMessage(), e);
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(stage);
    }
}
