package varve.verify.source;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;

/// Reads a list, and makes sure on the way that its nodes are the device: without gap, and with its root.
public final class HashListReader implements Closeable {
    private final InputStream in;
    private final String where;
    private final HashList.Head head;
    private final Geometry geometry;
    private final Root root = new Root();
    private long line;
    private long offset;

    /// @throws DamagedListException if it does not begin as a hash list does
    public HashListReader(Path path) throws IOException {
        this.where = path.toString();
        this.in = new BufferedInputStream(Files.newInputStream(path), 1 << 16);
        try {
            String first = line(HashList.MAX_HEAD);
            this.head = HashList.Head.decode(first == null ? "" : first, where);
            this.line = 1;
        } catch (Throwable e) {
            in.close();
            throw e;
        }
        this.geometry = new Geometry(head.state().size(), head.chunkLog());
    }

    public HashList.Head head() {
        return head;
    }

    /// {@return the next node, or null after the last}
    /// @throws DamagedListException if the list is damaged
    public HashList.@Nullable Entry next() throws IOException {
        String text = line(HashList.MAX_LINE);
        if (text == null) {
            checkRoot();
            return null;
        }
        line++;
        HashList.Entry entry = HashList.Entry.decode(text, at());
        if (!fits(entry)) {
            throw new DamagedListException(at() + ": " + entry.size() + " bytes at " + entry.offset() + ", expected a node at " + offset);
        }
        try {
            root.add(entry.hash(), entry.size());
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new DamagedListException(at() + ": " + e.getMessage());
        }
        offset = entry.end();
        return entry;
    }

    private boolean fits(HashList.Entry entry) {
        if (entry.offset() != offset || entry.size() > geometry.size() - offset) {
            return false;
        }
        long chunks = (entry.size() + geometry.chunkSize() - 1) >>> geometry.chunkLog();
        long most = entry.zero() ? Math.max(1, Geometry.MAX_ZERO_NODE >>> geometry.chunkLog()) : 1;
        return chunks <= most && chunks < Math.max(2, geometry.chunks()) && entry.size() == geometry.length(offset >>> geometry.chunkLog(), chunks);
    }

    private void checkRoot() throws DamagedListException {
        if (offset != geometry.size()) {
            throw new DamagedListException(where + ": ends at offset " + offset + " of " + geometry.size());
        }
        if (!head.state().root().equals(root.value())) {
            throw new DamagedListException(where + ": its hashes combine to " + root.value() + ", expected " + head.state().root());
        }
    }

    private String at() {
        return where + ": line " + line;
    }

    /// {@return a line without its end, or null at the end of the file}
    private @Nullable String line(int most) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int c = read();
        if (c < 0) {
            return null;
        }
        for (; c != '\n'; c = read()) {
            if (c < 0 || bytes.size() == most) {
                throw new DamagedListException(where + ": line " + (line + 1) + " has no end");
            }
            bytes.write(c);
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new DamagedListException(where + ": no UTF-8");
        }
    }

    private int read() throws IOException {
        try {
            return in.read();
        } catch (IOException e) {
            throw new DeviceException(where + ": cannot read: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
