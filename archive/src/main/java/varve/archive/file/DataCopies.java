package varve.archive.file;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.seal.SealedContent;
import varve.archive.seal.WrongKeyException;

/// The data file of one archive in all the folders that have it, so that what is damaged in one can be had from another.
///
/// Any copy may be cut off or damaged anywhere: what [#read] hands out is unverified. [#readProved] puts a frame together from
/// groups of 1 MiB, each from whichever copy has it as the file tree says. Safe for use by several threads.
public final class DataCopies implements AutoCloseable {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;

    private final StoredArchive archive;
    private final Manifest.Digest expected;
    private final List<ArchiveFile> files = new ArrayList<>(); // those of the right size and header first
    private final Arena arena = Arena.ofShared();
    private @Nullable FileTree tree;
    private boolean treeSought;
    private @Nullable SealedContent sealed;

    DataCopies(StoredArchive archive, boolean keepOpen, Reading reading) throws IOException {
        this.archive = archive;
        this.expected = archive.manifest().file();
        IOException failure = null;
        List<Path> doubtful = new ArrayList<>();
        try {
            for (Path file : archive.allData()) {
                try {
                    files.add(ArchiveFile.open(file, archive.manifest(), archive.keys(), keepOpen, reading));
                } catch (WrongKeyException e) {
                    throw e;
                } catch (IOException e) {
                    failure = failure == null ? e : failure;
                    doubtful.add(file);
                }
            }
            for (Path file : doubtful) {
                try {
                    files.add(ArchiveFile.openAnyway(file, reading));
                } catch (IOException e) {
                    failure = e;
                }
            }
            if (files.isEmpty()) {
                throw failure == null ? new NoSuchFileException(archive.data().toString()) : failure;
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /// {@return how many copies there are, at least one}
    public int count() {
        return files.size();
    }

    /// {@return the best copy}
    public Path first() {
        return files.getFirst().path();
    }

    /// Reads the bytes of a frame from one of the copies, 0 for the best one, into the beginning of `into`.
    ///
    /// @return the part of `into` that holds the frame
    public MemorySegment read(int copy, Node.Frame frame, MemorySegment into) throws IOException {
        MemorySegment bytes = into.asSlice(0, frame.size());
        read(frame, bytes, files.get(copy)::readStored);
        return bytes;
    }

    private void read(Node.Frame frame, MemorySegment bytes, SealedContent.Bytes stored) throws IOException {
        if (archive.manifest().seal().isEmpty()) {
            stored.read(frame.position(), bytes);
        } else {
            Sealed.read(sealed(), archive.data().getFileName().toString(), frame.position(), bytes, stored);
        }
    }

    /// {@return what is sealed in all copies: opened with the first that is good where that matters, or with what is proved of all}
    private synchronized SealedContent sealed() throws IOException {
        for (ArchiveFile file : files) {
            if (sealed == null) {
                sealed = file.sealed().orElse(null);
            }
        }
        if (sealed == null) {
            sealed = Sealed.open(archive.manifest(), archive.keys(), archive.data().getFileName().toString(), this::readProved);
        }
        return sealed;
    }

    /// Reads the bytes of a frame, as they were written, into the beginning of `into`.
    ///
    /// @return the part of `into` that holds the frame
    /// @throws CorruptException if no copy has them, or no file tree tells which has
    public MemorySegment readProved(Node.Frame frame, MemorySegment into) throws IOException {
        if (frame.end() > archive.manifest().contentSize()) {
            throw new CorruptException(
                    Rule.F029, archive.data().getFileName().toString(), "a frame ends at " + frame.end() + " of " + archive.manifest().contentSize());
        }
        MemorySegment bytes = into.asSlice(0, frame.size());
        read(frame, bytes, this::readProved);
        return bytes;
    }

    /// reads a part of the data file as it was stored
    private void readProved(long position, MemorySegment bytes) throws IOException {
        long end = position + bytes.byteSize();
        SubtreeHasher hasher = new SubtreeHasher();
        try (Arena local = Arena.ofConfined()) {
            MemorySegment room = local.allocate(GROUP, 4096);
            for (long start = position & -GROUP; start < end; start += GROUP) {
                MemorySegment group = room.asSlice(0, Math.min(GROUP, expected.size() - start));
                readGroup(value(start), start, group, hasher);
                long from = Math.max(position, start);
                long to = Math.min(end, start + group.byteSize());
                MemorySegment.copy(group, from - start, bytes, from - position, to - from);
            }
        }
    }

    private void readGroup(Hash value, long position, MemorySegment group, SubtreeHasher hasher) throws IOException {
        IOException failure = null;
        for (ArchiveFile file : files) {
            try {
                file.readStored(position, group);
                Hash found = expected.size() <= GROUP ? hasher.whole(group) : hasher.subtree(group, position);
                if (found.equals(value)) {
                    return;
                }
                failure = new CorruptException(Rule.F038, file.path() + ": at " + position, "expected " + value + ", found " + found);
            } catch (CorruptException | DeviceException | EOFException e) {
                failure = e;
            }
        }
        throw failure;
    }

    private Hash value(long position) throws CorruptException {
        if (expected.size() <= GROUP) {
            return expected.hash();
        }
        FileTree known = tree();
        if (known == null) {
            throw new CorruptException(Rule.F041, archive.tree().getFileName().toString(), "no copy of it is good");
        }
        return known.value(position >>> FileTree.GROUP_LOG);
    }

    /// {@return the first file tree that is good, or null}
    private synchronized @Nullable FileTree tree() {
        for (Path file : treeSought ? List.<Path>of() : archive.allTrees()) {
            try (FileChannel channel = Folder.open(file)) {
                long size = FileTree.HEAD_SIZE + FileTree.groups(expected.size()) * Hash.SIZE;
                Mapped.probe(channel, file, 0, Math.min(size, channel.size()));
                tree = FileTree.decode(Mapped.map(channel, file, 0, channel.size(), arena), expected, file.toString());
                break;
            } catch (IOException e) {
                // the next may be better
            }
        }
        treeSought = true;
        return tree;
    }

    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (ArchiveFile file : files) {
            try {
                file.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        arena.close();
        if (failure != null) {
            throw failure;
        }
    }
}
