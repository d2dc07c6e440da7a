package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.Header;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.Skippable;
import varve.archive.format.Summary;
import varve.archive.linux.Linux;
import varve.archive.linux.Residency;

/// The data file of one archive, opened for reading frames at their positions.
///
/// What it hands out is unverified: the caller decodes it and compares hashes. A file that was not in the page cache when it
/// was opened is not left there, so that reading an archive does not cost others their pages. Safe for use by several threads.
public final class ArchiveFile implements AutoCloseable {

    private static final int PAGE = 4096;
    private static final int SAMPLES = 64;
    private static final long DROP_BACK = 4 << 20;
    private static final int MOST_TRIES = 16;

    private final Path path;
    private final @Nullable FileChannel channel; // null if it is opened for each read
    private final long size;
    private final boolean guest; // whose pages are dropped after reading
    private final int descriptor; // to drop them, or -1

    private ArchiveFile(Path path, @Nullable FileChannel channel, long size) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = size;
        int fd = path.getFileSystem() == FileSystems.getDefault() ? Linux.open(path, Linux.O_RDONLY) : -1;
        boolean drop = false;
        try {
            drop = fd >= 0 && !cached(fd, size);
        } finally {
            if (fd >= 0 && (!drop || channel == null)) {
                Linux.close(fd);
            }
        }
        this.guest = drop;
        this.descriptor = drop && channel != null ? fd : -1;
    }

    /// {@return whether most of some pages from all over the file are in the page cache}
    private static boolean cached(int fd, long size) throws IOException {
        long step = Math.max(PAGE, size / SAMPLES / PAGE * PAGE);
        int[] missing = {0};
        int samples = 0;
        Residency residency = new Residency(fd, size);
        for (long at = 0; at < size; at += step) {
            residency.missing(at, Math.min(PAGE, size - at), (offset, length) -> missing[0]++);
            samples++;
        }
        return missing[0] * 2 < samples;
    }

    /// Opens a data file and compares its size and its header with what is known of it.
    ///
    /// @param keepOpen whether it stays open between reads
    /// @throws CorruptException if it is not the file that the manifest describes
    static ArchiveFile open(Path path, Manifest manifest, boolean keepOpen) throws IOException {
        FileChannel channel = Folder.open(path);
        try (Arena arena = Arena.ofConfined()) {
            String where = path.getFileName().toString();
            long size = channel.size();
            Header header = header(channel, path, arena);
            if (!header.volumeId().equals(manifest.volumeId())
                    || header.kind() != manifest.kind()
                    || header.chunkLog() != manifest.chunkLog()
                    || !header.parent().equals(manifest.parent())) {
                throw new CorruptException(Rule.F037, where, "its header is that of another archive");
            }
            if (size != manifest.file().size()) {
                throw new CorruptException(
                        Rule.F038, where, "expected " + manifest.file().size() + " bytes, found " + size);
            }
            ArchiveFile file = new ArchiveFile(path, keepOpen ? channel : null, size);
            if (!keepOpen) {
                channel.close();
            }
            return file;
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /// Opens a data file without a look at what is in it: it may be cut off, damaged, or another file altogether.
    public static ArchiveFile openAnyway(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new ArchiveFile(path, channel, channel.size());
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /// {@return the header of a data file, if it begins with a good one}
    public static Optional<Header> header(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            return Optional.of(header(channel, path, arena));
        } catch (CorruptException | NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// {@return the summary at the end of an `.index` file, or before the seek table of a data file, if its own check holds}
    public static Optional<Summary> summary(Path path, boolean data) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            long end = data ? SeekTable.position(channel, path, arena) : channel.size();
            if (end < Summary.FRAME_SIZE) {
                return Optional.empty();
            }
            MemorySegment frame = arena.allocate(Summary.FRAME_SIZE, 8);
            Mapped.read(channel, path, end - Summary.FRAME_SIZE, frame);
            return Optional.of(Summary.decodeAlone(frame, path.getFileName().toString()));
        } catch (CorruptException | NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static Header header(FileChannel channel, Path path, Arena arena) throws IOException {
        MemorySegment head = arena.allocate(Math.min(channel.size(), Header.FRAME_SIZE), 8);
        Mapped.read(channel, path, 0, head);
        return Header.decode(head, path.getFileName().toString());
    }

    public Path path() {
        return path;
    }

    public long size() {
        return size;
    }

    /// {@return where the index region begins, as far as an unverified look at the end of the file tells}
    /// @throws CorruptException if there is no seek table with a summary before it
    public static long indexPosition(Path path, Manifest manifest) throws IOException {
        try (FileChannel channel = Folder.open(path);
                Arena arena = Arena.ofConfined()) {
            long end = SeekTable.position(channel, path, arena);
            if (manifest.index().size() > end - Header.FRAME_SIZE) {
                throw new CorruptException(
                        Rule.F039, path.getFileName().toString(), "expected " + manifest.index().size() + " bytes before the seek table at " + end);
            }
            return end - manifest.index().size();
        }
    }

    /// Reads the bytes of a frame into the beginning of `into`.
    ///
    /// @return the part of `into` that holds the frame
    public MemorySegment read(Node.Frame frame, MemorySegment into) throws IOException {
        MemorySegment bytes = into.asSlice(0, frame.size());
        read(frame.position(), bytes);
        return bytes;
    }

    /// Fills `into` from `position` on.
    public void read(long position, MemorySegment into) throws IOException {
        if (position < 0 || position > size - into.byteSize()) {
            throw new CorruptException(
                    Rule.F002, path.getFileName().toString(), into.byteSize() + " bytes at " + position + " of " + size);
        }
        if (channel != null) {
            Mapped.read(channel, path, position, into);
        } else {
            try (FileChannel now = FileChannel.open(path, StandardOpenOption.READ)) {
                Mapped.read(now, path, position, into);
            }
        }
        if (guest) {
            // only what lies in the range as a whole is dropped, and the cache holds folios of up to 2 MiB
            long start = Math.max(0, position - DROP_BACK) & -PAGE;
            drop(start, position + into.byteSize() - start);
        }
    }

    private void drop(long start, long length) throws IOException {
        int fd = descriptor >= 0 ? descriptor : Linux.open(path, Linux.O_RDONLY);
        try {
            Linux.dropCache(fd, start, length);
        } finally {
            if (descriptor < 0) {
                Linux.close(fd);
            }
        }
    }

    /// Compares the seek table at the end of the file with the one that the index demands.
    ///
    /// @throws CorruptException F002, F013
    public void checkSeekTable(Index index) throws IOException {
        SeekTable.compare(index, this);
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            if (descriptor >= 0) {
                Linux.close(descriptor);
            }
        }
    }

    /// {@return the index of an archive, from its `.index` file or from the data file, whichever is at hand and good}
    public static Index openIndex(Path data, Path index, Manifest manifest) throws IOException {
        if (!Files.exists(index)) {
            return openOwnIndex(data, manifest);
        }
        try {
            return Index.open(index, 0, manifest);
        } catch (CorruptException | DeviceException e) {
            if (!Files.exists(data)) {
                throw e;
            }
            return openOwnIndex(data, manifest);
        }
    }

    /// {@return the index inside of a data file, which repeats its header}
    public static Index openOwnIndex(Path data, Manifest manifest) throws IOException {
        Header header;
        try (FileChannel channel = Folder.open(data);
                Arena arena = Arena.ofConfined()) {
            header = header(channel, data, arena);
        }
        return Index.open(data, indexPosition(data, manifest), manifest, Optional.of(header));
    }

    /// {@return the index inside of a data file that may be damaged all around it, or cut off behind it, or empty if there is none}
    ///
    /// The number of frames, which its place depends on, is not known then; but the place is one of as many as there can be frames, and a
    /// summary ends the region.
    public static Optional<Index> findOwnIndex(Path data, Manifest manifest) throws IOException {
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            MemorySegment tag = arena.allocate(Skippable.HEAD_SIZE + Skippable.TAG_SIZE, 8);
            long mostFrames = manifest.index().size() / Node.SIZE;
            for (long frames = 0, tries = 0; frames <= mostFrames && tries < MOST_TRIES; frames++) {
                long position = SeekTable.position(manifest.file().size(), frames) - manifest.index().size();
                long summary = position + manifest.index().size() - Summary.FRAME_SIZE;
                if (position < Header.FRAME_SIZE) {
                    break;
                }
                if (summary + tag.byteSize() <= channel.size() && summaryAt(channel, data, summary, tag)) {
                    tries++;
                    try {
                        return Optional.of(Index.open(data, position, manifest));
                    } catch (CorruptException e) {
                        // it only looked like one
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean summaryAt(FileChannel channel, Path data, long position, MemorySegment room) throws IOException {
        try {
            Mapped.read(channel, data, position, room);
            return Summary.isAt(room, 0);
        } catch (DeviceException e) {
            return false;
        }
    }
}
