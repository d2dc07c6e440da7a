package varve.mounthelper.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import varve.archive.block.BlockSource;
import varve.archive.block.BlockTarget;
import varve.archive.linux.SystemCallException;

/// What one mount answers to the kernel.
///
/// Safe for use by several threads, each with memory of its own for the request and the answer.
final class Session implements Closeable {

    /// the kernel's own most, of which the answer to a READ is
    static final int MOST_READ = 1 << 20;

    /// the least that a kernel takes for the most: of what is only read
    private static final int LEAST_WRITE = 4096;

    private static final int BACKGROUND = 64; // requests that nobody waits for, such as read-ahead
    private static final long VALID = 1; // seconds for which a name and the look of an entry hold
    private static final int BLOCK = 4096;
    private static final int SECTOR = 512; // of st_blocks
    private static final int MOST_TOLD = 100;

    private final Nodes nodes;
    private final Handles handles = new Handles();
    private final FuseOptions options;
    private final int user;
    private final int group;
    private final Consumer<String> log;
    private final Set<String> told = ConcurrentHashMap.newKeySet(); // of what went wrong with writing

    Session(Entry.Folder root, FuseOptions options, int user, int group, Consumer<String> log) {
        this.nodes = new Nodes(root);
        this.options = options;
        this.user = user;
        this.group = group;
        this.log = log;
    }

    private int mostWrite() {
        return options.writable() ? MOST_READ : LEAST_WRITE;
    }

    /// {@return the room that a request needs at most}
    int requestSize() {
        return Protocol.IN_HEADER + Protocol.WRITE_IN + Math.max(mostWrite(), 2 * BLOCK);
    }

    /// {@return the room that an answer needs at most}
    int answerSize() {
        return Protocol.OUT_HEADER + MOST_READ;
    }

    /// Answers a request.
    ///
    /// @param request as it came, to its end
    /// @param answer [#answerSize] bytes that are filled from their start
    /// @return size of the answer; 0 if there is to be none
    int answer(MemorySegment request, MemorySegment answer) {
        int operation = request.get(JAVA_INT, 4);
        Body in = new Body(request.asSlice(Protocol.IN_HEADER));
        Body out = new Body(answer.asSlice(Protocol.OUT_HEADER));
        long node = request.get(JAVA_LONG, 16);
        int error = 0;
        int size = 0;
        try {
            switch (operation) {
                case Protocol.FORGET, Protocol.BATCH_FORGET, Protocol.INTERRUPT -> {
                    return 0; // an answer comes soon enough
                }
                default -> size = answer(operation, node, in, out);
            }
        } catch (FuseException e) {
            error = e.errno();
        } catch (IOException e) { // whoever reads the archives has told of it
            error = error(e);
            if (operation == Protocol.WRITE || operation == Protocol.FALLOCATE || operation == Protocol.FSYNC) {
                tell(e);
            }
        } catch (RuntimeException | Error e) {
            log.accept("unexpected: request " + operation + ": " + e);
            error = FuseException.EIO;
        }
        int all = Protocol.OUT_HEADER + (error == 0 ? size : 0);
        answer.set(JAVA_INT, 0, all);
        answer.set(JAVA_INT, 4, -error);
        answer.set(JAVA_LONG, 8, request.get(JAVA_LONG, 8));
        return all;
    }

    private static int error(IOException thrown) {
        Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
        return cause instanceof SystemCallException e && e.errno() == SystemCallException.ENOSPC ? FuseException.ENOSPC : FuseException.EIO;
    }

    /// Tells of what could not be written, each thing once.
    private void tell(IOException e) {
        String what = e.getMessage() == null ? e.toString() : e.getMessage();
        if (told.size() < MOST_TOLD && told.add(what)) {
            log.accept("cannot be written: " + what);
        }
    }

    /// Closes what is still open.
    @Override
    public void close() throws IOException {
        handles.close();
    }

    /// Fields of a request or an answer, by their offset in it.
    private record Body(MemorySegment bytes) {

        int intAt(long at) {
            return bytes.get(JAVA_INT, at);
        }

        long longAt(long at) {
            return bytes.get(JAVA_LONG, at);
        }

        Body put(long at, int value) {
            bytes.set(JAVA_INT, at, value);
            return this;
        }

        Body put(long at, long value) {
            bytes.set(JAVA_LONG, at, value);
            return this;
        }

        Body clear(long size) {
            bytes.asSlice(0, size).fill((byte) 0);
            return this;
        }
    }

    private int answer(int operation, long node, Body in, Body out) throws IOException {
        return switch (operation) {
            case Protocol.INIT -> init(in, out);
            case Protocol.LOOKUP -> lookup(node, in, out);
            case Protocol.GETATTR -> attributes(node, out);
            case Protocol.OPENDIR -> openFolder(node, out);
            case Protocol.READDIR -> readFolder(in, out);
            case Protocol.OPEN -> open(node, in, out);
            case Protocol.READ -> read(in, out);
            case Protocol.LSEEK -> seek(in, out);
            case Protocol.WRITE -> write(in, out);
            case Protocol.FALLOCATE -> allocate(in);
            case Protocol.FSYNC -> sync(in);
            case Protocol.RELEASE, Protocol.RELEASEDIR -> {
                handles.close(in.longAt(0));
                yield 0;
            }
            case Protocol.STATFS -> {
                out.clear(Protocol.STATFS_OUT).put(40, BLOCK).put(44, 255).put(48, BLOCK);
                yield Protocol.STATFS_OUT;
            }
            case Protocol.FLUSH, Protocol.DESTROY -> 0;
            default -> throw new FuseException(FuseException.ENOSYS); // the kernel does not ask again
        };
    }

    private int init(Body in, Body out) throws IOException {
        int version = in.intAt(0);
        int minor = in.intAt(4);
        if (version < Protocol.VERSION || version == Protocol.VERSION && minor < Protocol.OLDEST) {
            log.accept("the kernel speaks FUSE " + version + "." + minor + ", expected 7." + Protocol.OLDEST + " or later (Linux 4.20)");
            throw new FuseException(FuseException.EPROTO);
        }
        int flags = Protocol.ASYNC_READ | Protocol.BIG_WRITES | Protocol.ASYNC_DIO | Protocol.PARALLEL_DIROPS | Protocol.MAX_PAGES;
        out.clear(Protocol.INIT_OUT)
                .put(0, Protocol.VERSION)
                .put(4, Protocol.MINOR)
                .put(8, in.intAt(8)) // read-ahead, as the kernel likes it
                .put(12, in.intAt(12) & flags)
                .put(20, mostWrite())
                .put(24, 1); // nanoseconds that times are exact to
        out.bytes.set(JAVA_SHORT, 16, (short) BACKGROUND);
        out.bytes.set(JAVA_SHORT, 18, (short) (BACKGROUND / 4 * 3));
        out.bytes.set(JAVA_SHORT, 28, (short) (MOST_READ / BLOCK));
        return Protocol.INIT_OUT;
    }

    // ---- folders

    private Entry.Folder folder(long node) throws FuseException {
        if (nodes.entry(node) instanceof Entry.Folder folder) {
            return folder;
        }
        throw new FuseException(FuseException.ENOTDIR);
    }

    private int lookup(long node, Body in, Body out) throws IOException {
        Entry entry = folder(node).find(in.bytes.getString(0)).orElseThrow(() -> new FuseException(FuseException.ENOENT));
        out.clear(Protocol.ENTRY_OUT)
                .put(0, nodes.number(entry))
                .put(16, VALID)
                .put(24, VALID);
        describe(entry, new Body(out.bytes.asSlice(40)));
        return Protocol.ENTRY_OUT;
    }

    private int attributes(long node, Body out) throws IOException {
        out.clear(Protocol.ATTR_OUT).put(0, VALID);
        describe(nodes.entry(node), new Body(out.bytes.asSlice(16)));
        return Protocol.ATTR_OUT;
    }

    /// fuse_attr
    private void describe(Entry entry, Body attributes) throws IOException {
        long size = 0;
        long stored = 0;
        int mode;
        if (entry instanceof Entry.File file) {
            size = file.size();
            stored = file.storedSize();
            mode = Protocol.S_IFREG | (options.others() ? 0444 : 0400) | (file.writable() ? 0200 : 0);
        } else {
            mode = Protocol.S_IFDIR | (options.others() ? 0555 : 0500);
        }
        Instant changed = entry.changed();
        attributes.put(0, nodes.number(entry)).put(8, size).put(16, (stored + SECTOR - 1) / SECTOR);
        for (int time = 0; time < 3; time++) { // of the last access, of content, of the entry
            attributes.put(24 + 8 * time, changed.getEpochSecond()).put(48 + 4 * time, changed.getNano());
        }
        attributes.put(60, mode).put(64, 1).put(68, user).put(72, group).put(80, BLOCK);
    }

    private int openFolder(long node, Body out) throws IOException {
        out.clear(Protocol.OPEN_OUT).put(0, handles.add(folder(node).list()));
        return Protocol.OPEN_OUT;
    }

    private int readFolder(Body in, Body out) throws IOException {
        List<Entry.Named> content = handles.folder(in.longAt(0));
        int room = Math.clamp(in.intAt(16), 0, MOST_READ);
        int size = 0;
        for (long next = in.longAt(8); next >= 0 && next < content.size(); next++) {
            Entry.Named named = content.get((int) next);
            byte[] name = named.name().getBytes(StandardCharsets.UTF_8);
            int length = Protocol.DIRENT + (name.length + 7) / 8 * 8;
            if (size + length > room) {
                break;
            }
            Body entry = new Body(out.bytes.asSlice(size, length)).clear(length);
            int type = named.entry() instanceof Entry.Folder ? Protocol.S_IFDIR : Protocol.S_IFREG;
            entry.put(0, nodes.number(named.entry())).put(8, next + 1).put(16, name.length).put(20, type >> 12);
            MemorySegment.copy(name, 0, entry.bytes, JAVA_BYTE, Protocol.DIRENT, name.length);
            size += length;
        }
        return size;
    }

    // ---- files

    private int open(long node, Body in, Body out) throws IOException {
        if (!(nodes.entry(node) instanceof Entry.File file)) {
            throw new FuseException(FuseException.EISDIR);
        }
        if ((in.intAt(0) & Protocol.O_ACCMODE) != 0 && !file.writable()) {
            throw new FuseException(FuseException.EROFS);
        }
        BlockSource source;
        try {
            source = file.open();
        } catch (IOException e) {
            log.accept(e.getMessage() == null ? e.toString() : e.getMessage());
            throw e;
        }
        // nobody else changes it, so what the kernel has of it stays right
        out.clear(Protocol.OPEN_OUT).put(0, handles.add(source)).put(8, Protocol.KEEP_CACHE);
        return Protocol.OPEN_OUT;
    }

    /// Reads whole requests or none: to the kernel, a short answer means that zeros follow.
    private int read(Body in, Body out) throws IOException {
        BlockSource source = handles.file(in.longAt(0));
        long offset = in.longAt(8);
        int most = in.intAt(16);
        if (offset < 0 || most < 0 || most > MOST_READ) {
            throw new FuseException(FuseException.EINVAL);
        }
        int size = (int) Math.clamp(source.size() - offset, 0, most);
        if (size > 0) {
            source.read(offset, out.bytes.asSlice(0, size));
        }
        return size;
    }

    /// SEEK_DATA and SEEK_HOLE of lseek(2); the kernel does the others by itself.
    private int seek(Body in, Body out) throws IOException {
        BlockSource source = handles.file(in.longAt(0));
        long offset = in.longAt(8);
        if (offset < 0 || offset >= source.size()) {
            throw new FuseException(FuseException.ENXIO);
        }
        long found = switch (in.intAt(16)) {
            case Protocol.SEEK_DATA -> source.dataFrom(offset);
            case Protocol.SEEK_HOLE -> source.dataFrom(offset) > offset ? offset : source.dataUntil(offset);
            default -> throw new FuseException(FuseException.EINVAL);
        };
        if (found == source.size() && in.intAt(16) == Protocol.SEEK_DATA) {
            throw new FuseException(FuseException.ENXIO);
        }
        out.put(0, found);
        return Protocol.LSEEK_OUT;
    }

    private int write(Body in, Body out) throws IOException {
        BlockTarget target = handles.target(in.longAt(0));
        long offset = in.longAt(8);
        int size = in.intAt(16);
        checkWithin(target, offset, size);
        if (size > in.bytes.byteSize() - Protocol.WRITE_IN) {
            throw new FuseException(FuseException.EINVAL);
        }
        target.write(offset, in.bytes.asSlice(Protocol.WRITE_IN, size));
        out.clear(Protocol.WRITE_OUT).put(0, size);
        return Protocol.WRITE_OUT;
    }

    private int allocate(Body in) throws IOException {
        BlockTarget target = handles.target(in.longAt(0));
        long offset = in.longAt(8);
        long size = in.longAt(16);
        boolean allocated = switch (in.intAt(24)) {
            case Protocol.FALLOC_FL_PUNCH_HOLE | Protocol.FALLOC_FL_KEEP_SIZE -> false;
            case Protocol.FALLOC_FL_ZERO_RANGE, Protocol.FALLOC_FL_ZERO_RANGE | Protocol.FALLOC_FL_KEEP_SIZE -> true;
            default -> throw new FuseException(FuseException.EOPNOTSUPP);
        };
        checkWithin(target, offset, size);
        target.zero(offset, size, allocated);
        return 0;
    }

    private static void checkWithin(BlockSource source, long offset, long size) throws FuseException {
        if (offset < 0 || size < 0 || size > source.size() - offset) {
            throw new FuseException(FuseException.ENOSPC);
        }
    }

    private int sync(Body in) throws IOException {
        if (handles.file(in.longAt(0)) instanceof BlockTarget target) {
            target.flush();
        }
        return 0;
    }
}
