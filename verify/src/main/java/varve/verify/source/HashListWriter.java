package varve.verify.source;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import varve.archive.block.RefusedException;

/// Writes a list. The root is known last and stands first, so lines wait in a file of their own.
///
/// The list appears under its name when it is complete and on the medium; before that, nothing does.
public final class HashListWriter implements HashList.Taker, Closeable {
    private final Path path;
    private final Path lines;
    private final Path draft;
    private final OutputStream out;

    /// @throws RefusedException if there is such a file already
    public HashListWriter(Path path) throws IOException {
        if (Files.exists(path)) {
            throw new RefusedException(path + ": exists; give another name, or remove it first");
        }
        this.path = path;
        this.lines = path.resolveSibling(path.getFileName() + ".varve-lines");
        this.draft = path.resolveSibling(path.getFileName() + ".varve-draft");
        this.out = new BufferedOutputStream(Files.newOutputStream(lines), 1 << 16);
    }

    @Override
    public void take(HashList.Entry entry) throws IOException {
        out.write((entry.encode() + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    /// Completes the list.
    public void commit(HashList.Head head) throws IOException {
        out.close();
        try (FileChannel to = FileChannel.open(draft, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
                FileChannel from = FileChannel.open(lines, StandardOpenOption.READ)) {
            ByteBuffer line = ByteBuffer.wrap((head.encode() + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) {
                to.write(line);
            }
            for (long done = 0; done < from.size(); ) {
                done += from.transferTo(done, from.size() - done, to);
            }
            to.force(true);
        }
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        out.close();
        Files.deleteIfExists(lines);
        Files.deleteIfExists(draft);
    }
}
