package varve.archive.file;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.hash.TreeMerge;
import varve.archive.linux.LargePages;

/// A data file while it is written: hashed as it leaves memory, and read back from the medium.
///
/// Bytes collect in groups of 1 MiB. A thread of its own takes each full group, hashes it for the file tree, writes
/// it, reads it back and compares. Where the file system can, both go past the page cache (`O_DIRECT`), so what is
/// compared comes from the medium, nobody else's pages are evicted, and there is little left to do at the end. Where
/// it cannot (tmpfs, some FUSE), the file is read back in whole after `fsync`.
///
/// What an earlier run left in the file is kept until it is overwritten, so that it can be reused: a group
/// that is there already is compared and not written.
final class StageFile implements Sink, Closeable {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;
    private static final int GROUPS = 6;
    private static final int PAGE = 4096;

    private final Path path;
    private final RowFile tree;
    private final FileChannel channel;
    private final @Nullable FileChannel direct;
    private final long oldSize;
    private final Arena arena = Arena.ofShared();
    private final SegmentAllocator memory = new LargePages(arena);
    private final MemorySegment readBack = memory.allocate(GROUP, PAGE);
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final TreeMerge merge = new TreeMerge();
    private final BlockingQueue<Group> free = new ArrayBlockingQueue<>(GROUPS);
    private final BlockingQueue<Group> full = new ArrayBlockingQueue<>(GROUPS + 1);
    private final Thread writer;

    private Group current;
    private long position;
    private @Nullable Hash only;
    private volatile @Nullable Throwable failure;

    private static final class Group {
        final MemorySegment bytes;
        long position;
        long size;
        boolean last;

        Group(MemorySegment bytes) {
            this.bytes = bytes;
        }
    }

    /// @param tree where the hashes of the groups go
    StageFile(Path path, RowFile tree) throws IOException {
        this.path = path;
        this.tree = tree;
        this.channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        this.oldSize = channel.size();
        this.direct = openDirect(path);
        for (int i = 0; i < GROUPS; i++) {
            free.add(new Group(memory.allocate(GROUP, PAGE)));
        }
        this.current = free.remove();
        this.writer = Thread.ofPlatform().name("varve-stage").daemon().start(this::writeGroups);
    }

    private static @Nullable FileChannel openDirect(Path path) throws IOException {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            return null;
        }
        try {
            if (PAGE % Files.getFileStore(path).getBlockSize() != 0) {
                return null;
            }
            return FileChannel.open(
                    path, StandardOpenOption.READ, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT);
        } catch (IOException | UnsupportedOperationException e) {
            return null; // the file system has no direct I/O
        }
    }

    /// {@return bytes appended so far}
    long position() {
        return position;
    }

    /// {@return whether writing and reading back go past the page cache}
    boolean direct() {
        return direct != null;
    }

    /// {@return whether writing has failed}
    boolean failed() {
        return failure != null;
    }

    @Override
    public void append(MemorySegment bytes) throws IOException {
        for (long done = 0; done < bytes.byteSize(); ) {
            if (current.size == GROUP) {
                nextGroup(false);
            }
            long part = Math.min(GROUP - current.size, bytes.byteSize() - done);
            MemorySegment.copy(bytes, done, current.bytes, current.size, part);
            current.size += part;
            position += part;
            done += part;
        }
    }

    /// Writes what is left, waits until everything is on the medium, and proves that it is.
    ///
    /// @return size and hash of the file
    Manifest.Digest finish() throws IOException {
        nextGroup(true);
        join();
        check();
        try {
            channel.truncate(position);
            channel.force(true);
        } catch (IOException e) {
            throw new DeviceException(path + ": cannot write: " + e.getMessage(), e);
        }
        Hash hash = only != null ? only : merge.root();
        if (direct == null) {
            readBack(hash);
        }
        return new Manifest.Digest(position, hash);
    }

    private void nextGroup(boolean last) throws IOException {
        check();
        current.last = last;
        try {
            full.put(current);
            if (!last) {
                long next = current.position + GROUP;
                current = free.take();
                current.position = next;
                current.size = 0;
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        check();
    }

    private void check() throws IOException {
        switch (failure) {
            case null -> {}
            case IOException e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    private void join() {
        try {
            writer.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void writeGroups() {
        try {
            boolean last;
            do {
                Group group = full.take();
                last = group.last; // once it is free, the group is the leading thread's, which may make it the last
                if (failure == null && group.size > 0 | last) {
                    tryWrite(group);
                }
                free.put(group);
            } while (!last);
        } catch (InterruptedException e) {
            // closed while writing: the stage stays for the next run
        }
    }

    private void tryWrite(Group group) {
        try {
            hash(group);
            write(group);
        } catch (IOException e) {
            failure = e instanceof DeviceException
                    ? e
                    : new DeviceException(path + ": cannot write at " + group.position + ": " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            failure = e; // the leading thread must not wait for this one forever
        }
    }

    private void hash(Group group) throws IOException {
        MemorySegment bytes = group.bytes.asSlice(0, group.size);
        Hash hash;
        if (group.last && group.position == 0) {
            hash = hasher.whole(bytes);
            only = hash;
        } else if (group.size == 0) {
            return;
        } else {
            hash = hasher.subtree(bytes, group.position);
            merge.add(hash, group.size);
        }
        MemorySegment row = MemorySegment.ofArray(hash.bytes());
        tree.append(row);
    }

    private void write(Group group) throws IOException {
        if (direct == null) {
            writeFully(channel, group.bytes.asSlice(0, group.size), group.position);
            return;
        }
        // the last pages are written whole and cut to size at the end
        long padded = (group.size + PAGE - 1) / PAGE * PAGE;
        group.bytes.asSlice(group.size, padded - group.size).fill((byte) 0);
        MemorySegment bytes = group.bytes.asSlice(0, padded);
        if (group.position + padded <= oldSize && wasThere(bytes, group.position)) {
            return;
        }
        writeFully(direct, bytes, group.position);
        if (!isThere(bytes, group.position)) {
            throw new DeviceException(path + ": what was written at " + group.position
                    + " reads back differently: the medium or the path to it is faulty");
        }
    }

    private boolean wasThere(MemorySegment bytes, long at) {
        try {
            return isThere(bytes, at);
        } catch (IOException e) {
            return false; // what an earlier run left cannot be read: write it again
        }
    }

    private boolean isThere(MemorySegment bytes, long at) throws IOException {
        MemorySegment found = readBack.asSlice(0, bytes.byteSize());
        Mapped.read(direct == null ? channel : direct, path, at, found);
        return found.mismatch(bytes) < 0;
    }

    private static void writeFully(FileChannel to, MemorySegment bytes, long at) throws IOException {
        ByteBuffer buffer = bytes.asByteBuffer();
        while (buffer.hasRemaining()) {
            to.write(buffer, at + buffer.position());
        }
    }

    /// the way without direct I/O: hash the whole file again
    private void readBack(Hash expected) throws IOException {
        TreeMerge again = new TreeMerge();
        Hash found = null;
        for (long at = 0; at < position || at == 0; at += GROUP) {
            MemorySegment part = readBack.asSlice(0, Math.min(GROUP, position - at));
            Mapped.read(channel, path, at, part);
            if (position <= GROUP) {
                found = hasher.whole(part);
            } else {
                again.add(hasher.subtree(part, at), part.byteSize());
            }
        }
        found = found != null ? found : again.root();
        if (!found.equals(expected)) {
            throw new DeviceException(path + ": reads back as " + found + ", expected " + expected + ": the medium or the path to it is faulty");
        }
    }

    @Override
    public void close() throws IOException {
        writer.interrupt();
        join();
        try (channel;
                FileChannel also = direct) {
            arena.close();
        }
    }
}
