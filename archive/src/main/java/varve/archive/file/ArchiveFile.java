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
import varve.archive.seal.Keys;
import varve.archive.seal.SealedContent;
import varve.archive.seal.WrongKeyException;

/// The data file of one archive, opened for reading frames at their positions.
///
/// A frame has its position in the zstd file. Where that is sealed it is decrypted on the way; [#readStored] gives out the bytes of the data
/// file as they are.
///
/// What it hands out is unverified: the caller decodes it and compares hashes. What is read once of a file that was not in the page cache when
/// it was opened is not left there, so that reading an archive does not cost others their pages ([Reading]). Safe for use by several threads.
public final class ArchiveFile implements AutoCloseable {

    private static final int PAGE = 4096;
    private static final int SAMPLES = 64;
    private static final long DROP_BACK = 4 << 20;
    private static final int MOST_TRIES = 16;

    private final Path path;
    private final @Nullable FileChannel channel; // null if it is opened for each read
    private final long size;
    private final Reading reading;
    private final boolean guest; // whose pages are dropped after reading
    private final int descriptor; // to drop them, or -1
    private @Nullable SealedContent sealed; // null if it is not sealed, or is read as it is stored only

    private ArchiveFile(Path path, @Nullable FileChannel channel, long size, Reading reading) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = size;
        this.reading = reading;
        int fd = reading == Reading.ONCE && path.getFileSystem() == FileSystems.getDefault() ? Linux.open(path, Linux.O_RDONLY) : -1;
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
        try (Residency residency = new Residency(fd, size)) {
            for (long at = 0; at < size; at += step) {
                residency.missing(at, Math.min(PAGE, size - at), (offset, length) -> missing[0]++);
                samples++;
            }
        }
        return missing[0] * 2 < samples;
    }

    /// Opens a data file and compares its size and its header with what is known of it.
    ///
    /// @param keys to open it with, if it is sealed
    /// @param keepOpen whether it stays open between reads
    /// @throws CorruptException if it is not the file that the manifest describes
    /// @throws WrongKeyException if it is sealed and no key opens it
    static ArchiveFile open(Path path, Manifest manifest, Keys keys, boolean keepOpen, Reading reading) throws IOException {
        ArchiveFile file = openAnyway(path, reading);
        try {
            if (manifest.seal().isPresent()) {
                checkSize(file, manifest);
                file.sealed = Sealed.open(manifest, keys, path.getFileName().toString(), file::readStored);
            }
            checkHeader(file, manifest);
            checkSize(file, manifest);
            return keepOpen ? file : file.reopening();
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    /// Opens a data file to read it as it is stored, and compares its size with what is known of it; and its header, unless that is sealed.
    ///
    /// @throws CorruptException if it is not the file that the manifest describes
    static ArchiveFile openStored(Path path, Manifest manifest) throws IOException {
        if (manifest.seal().isEmpty()) {
            return open(path, manifest, Keys.NONE, true, Reading.ONCE);
        }
        ArchiveFile file = openAnyway(path);
        try {
            checkSize(file, manifest);
            Sealed.header(manifest, path.getFileName().toString(), file::readStored);
            return file;
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    private static void checkSize(ArchiveFile file, Manifest manifest) throws CorruptException {
        if (file.size != manifest.file().size()) {
            throw new CorruptException(
                    Rule.F038, file.path.getFileName().toString(), "expected " + manifest.file().size() + " bytes, found " + file.size);
        }
    }

    private static void checkHeader(ArchiveFile file, Manifest manifest) throws IOException {
        Header header = file.header();
        if (!header.volumeId().equals(manifest.volumeId())
                || header.kind() != manifest.kind()
                || header.chunkLog() != manifest.chunkLog()
                || !header.parent().equals(manifest.parent())) {
            throw new CorruptException(Rule.F037, file.path.getFileName().toString(), "its header is that of another archive");
        }
    }

    /// {@return this, closed between reads}
    private ArchiveFile reopening() throws IOException {
        ArchiveFile other = new ArchiveFile(path, null, size, reading);
        other.sealed = sealed;
        sealed = null;
        close();
        return other;
    }

    /// Opens a data file without a look at what is in it: it may be cut off, damaged, or another file altogether.
    public static ArchiveFile openAnyway(Path path) throws IOException {
        return openAnyway(path, Reading.ONCE);
    }

    static ArchiveFile openAnyway(Path path, Reading reading) throws IOException {
        FileChannel channel = Folder.open(path);
        try {
            return new ArchiveFile(path, channel, channel.size(), reading);
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /// {@return the header of a data file, if it begins with a good one}
    public static Optional<Header> header(Path path) throws IOException {
        try (FileChannel channel = Folder.open(path);
                Arena arena = Arena.ofConfined()) {
            return Optional.of(header(channel, path, arena));
        } catch (CorruptException | NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// {@return the summary at the end of an `.index` file, or before the seek table of a data file, if its own check holds}
    public static Optional<Summary> summary(Path path, boolean data) throws IOException {
        try (FileChannel channel = Folder.open(path);
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

    private Header header() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment head = arena.allocate(Math.min(contentSize(), Header.FRAME_SIZE), 8);
            read(0, head);
            return Header.decode(head, path.getFileName().toString());
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

    /// {@return the size of the data file}
    public long size() {
        return size;
    }

    /// {@return the size of the zstd file: of the data file, or of what is sealed in it}
    long contentSize() {
        return sealed == null ? size : sealed.size();
    }

    /// {@return the content, if the file is sealed}
    Optional<SealedContent> sealed() {
        return Optional.ofNullable(sealed);
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

    /// Fills `into` from `position` of the zstd file on.
    void read(long position, MemorySegment into) throws IOException {
        if (sealed == null) {
            readStored(position, into);
        } else {
            Sealed.read(sealed, path.getFileName().toString(), position, into, this::readStored);
        }
    }

    /// Fills `into` from `position` of the data file on, as it is stored.
    public void readStored(long position, MemorySegment into) throws IOException {
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
        try (channel;
                SealedContent content = sealed) {
            if (descriptor >= 0) {
                Linux.close(descriptor);
            }
        }
    }

    /// {@return the index of an archive, from its `.index` file or from the data file, whichever is at hand and good}
    static Index openIndex(Path data, Path index, Manifest manifest, Keys keys) throws IOException {
        if (!Files.exists(index)) {
            return openOwnIndex(data, manifest, keys);
        }
        try {
            return Index.open(index, 0, manifest);
        } catch (CorruptException | DeviceException e) {
            if (!Files.exists(data)) {
                throw e;
            }
            return openOwnIndex(data, manifest, keys);
        }
    }

    /// {@return the index inside of a data file, which repeats its header}
    /// @throws WrongKeyException if it is sealed and no key opens it
    public static Index openOwnIndex(Path data, Manifest manifest, Keys keys) throws IOException {
        if (manifest.seal().isPresent()) {
            try (ArchiveFile file = open(data, manifest, keys, true, Reading.ONCE)) {
                return file.openSealedIndex(manifest);
            }
        }
        Header header;
        try (FileChannel channel = Folder.open(data);
                Arena arena = Arena.ofConfined()) {
            header = header(channel, data, arena);
        }
        return Index.open(data, indexPosition(data, manifest), manifest, Optional.of(header));
    }

    /// the tables, decrypted into a file that has no name by the time they are read
    private Index openSealedIndex(Manifest manifest) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment foot = arena.allocate(SeekTable.FOOT, 8);
            read(Math.max(0, contentSize() - foot.byteSize()), foot);
            long position = SeekTable.position(contentSize(), foot, path) - manifest.index().size();
            if (position < Header.FRAME_SIZE) {
                throw new CorruptException(Rule.F039, path.getFileName().toString(), "no room for " + manifest.index().size() + " bytes of tables");
            }
            Path copy = Files.createTempFile("varve-", ".index");
            try {
                try (RowFile rows = new RowFile(copy, PAGE)) {
                    MemorySegment room = arena.allocate(1 << 20, 8);
                    for (long done = 0; done < manifest.index().size(); done += room.byteSize()) {
                        MemorySegment part = room.asSlice(0, Math.min(room.byteSize(), manifest.index().size() - done));
                        read(position + done, part);
                        rows.append(part);
                    }
                    rows.finish();
                }
                return Index.open(copy, 0, manifest, Optional.of(header()), position, path.getFileName().toString());
            } finally {
                Files.delete(copy);
            }
        }
    }

    /// {@return the index inside of a data file that may be damaged all around it, or cut off behind it, or empty if there is none}
    ///
    /// The number of frames, which its place depends on, is not known then; but the place is one of as many as there can be frames, and a
    /// summary ends the region.
    public static Optional<Index> findOwnIndex(Path data, Manifest manifest) throws IOException {
        if (manifest.seal().isPresent()) {
            return Optional.empty(); // nothing can be made out without a key and an undamaged way to it
        }
        try (FileChannel channel = Folder.open(data);
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
