package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.seal.SealedContent;

/// A data file whose bytes are compared with its file tree before they are given out: in groups of 1 MiB, without a look at what
/// they mean.
///
/// Where there is no good tree, one is made by reading the whole file once, and has to combine to the hash in the manifest like any
/// other.
///
/// Safe for use by several threads. Close it.
public final class ProvedFile implements AutoCloseable {

    public static final int GROUP_SIZE = 1 << FileTree.GROUP_LOG;

    private final ArchiveFile file;
    private final Arena arena;
    private final FileTree tree;

    private ProvedFile(ArchiveFile file, Arena arena, FileTree tree) {
        this.file = file;
        this.arena = arena;
        this.tree = tree;
    }

    /// Opens the data file of an archive.
    ///
    /// @param keepOpen whether it stays open between reads
    /// @throws CorruptException if it is not the file that the manifest describes, as far as was read
    public static ProvedFile open(StoredArchive archive, boolean keepOpen) throws IOException {
        Arena arena = Arena.ofShared();
        ArchiveFile file = null;
        try {
            file = archive.openData(keepOpen);
            return new ProvedFile(file, arena, tree(archive, file, arena));
        } catch (Throwable e) {
            arena.close();
            if (file != null) {
                file.close();
            }
            throw e;
        }
    }

    private static FileTree tree(StoredArchive archive, ArchiveFile file, Arena arena) throws IOException {
        Manifest.Digest expected = archive.manifest().file();
        String where = archive.tree().getFileName().toString();
        try (FileChannel channel = FileChannel.open(archive.tree(), StandardOpenOption.READ)) {
            long size = Math.min(channel.size(), FileTree.HEAD_SIZE + (FileTree.groups(expected.size()) + 1) * Hash.SIZE);
            MemorySegment bytes = arena.allocate(size, 8);
            Mapped.read(channel, archive.tree(), 0, bytes);
            return FileTree.decode(bytes, expected, where);
        } catch (NoSuchFileException | CorruptException | DeviceException e) {
            return compute(archive, file, arena);
        }
    }

    private static FileTree compute(StoredArchive archive, ArchiveFile file, Arena arena) throws IOException {
        Manifest.Digest expected = archive.manifest().file();
        SubtreeHasher hasher = new SubtreeHasher();
        long groups = FileTree.groups(expected.size());
        MemorySegment bytes = arena.allocate(FileTree.HEAD_SIZE + groups * Hash.SIZE, 8);
        FileTree.encodeHead(bytes, expected.size());
        try (Arena room = Arena.ofConfined()) {
            MemorySegment part = room.allocate(GROUP_SIZE, 4096);
            for (long group = 0; group < groups; group++) {
                long position = group << FileTree.GROUP_LOG;
                MemorySegment some = part.asSlice(0, Math.min(GROUP_SIZE, expected.size() - position));
                file.readStored(position, some);
                hash(hasher, some, position, groups).write(bytes, FileTree.HEAD_SIZE + group * Hash.SIZE);
            }
        }
        String where = archive.data().getFileName().toString();
        try {
            return FileTree.decode(bytes, expected, where);
        } catch (CorruptException e) {
            throw new CorruptException(Rule.F038, where, "its bytes do not hash to " + expected.hash()
                    + "; where it is damaged cannot be told without a good " + archive.tree().getFileName());
        }
    }

    private static Hash hash(SubtreeHasher hasher, MemorySegment bytes, long position, long groups) {
        return groups == 1 ? hasher.whole(bytes) : hasher.subtree(bytes, position);
    }

    /// Reads a group into the beginning of `room` and proves it.
    ///
    /// @return the part of `room` that holds the group
    /// @throws CorruptException F038, if it is not what was written
    MemorySegment read(long group, MemorySegment room, SubtreeHasher hasher) throws IOException {
        long position = group << FileTree.GROUP_LOG;
        MemorySegment bytes = room.asSlice(0, tree.groupSize(group));
        file.readStored(position, bytes);
        Hash found = hash(hasher, bytes, position, tree.groups());
        if (!found.equals(tree.value(group))) {
            String where = file.path().getFileName() + ": bytes " + position + " to " + (position + bytes.byteSize());
            throw new CorruptException(Rule.F038, where, "expected " + tree.value(group) + ", found " + found);
        }
        return bytes;
    }

    /// {@return the content, if the file is sealed}
    Optional<SealedContent> sealed() {
        return file.sealed();
    }

    String name() {
        return file.path().getFileName().toString();
    }

    @Override
    public void close() throws IOException {
        try (file) {
            arena.close();
        }
    }
}
