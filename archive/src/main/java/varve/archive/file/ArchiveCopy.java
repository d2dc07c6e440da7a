package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.linux.Linux;
import varve.archive.sign.Signature;

/// One archive on its way into another folder.
///
/// What is read is proved by the file tree, group by group, and a group that is damaged in one place is taken from another.
/// What is written is read back from the medium and compared ([StageFile]). A run that dies leaves a stage, and what is right of
/// it is not read from the source again. A data file that is there already, but not known to be good, is treated as such a
/// stage in its own place: what is right is proved, what is not is written anew. The manifest comes last.
///
/// For one thread, the holder of the lock of the volume that is written to.
public final class ArchiveCopy {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;
    private static final String STAGE = Stage.PREFIX + "-";

    private final StoredArchive source;
    private final Manifest manifest;
    private final StoredArchive target;
    private final Steps steps;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final List<Damage> damage = new ArrayList<>();
    private long reused;
    private long mended;
    private boolean fromMedium;

    /// Bytes of a data file that are not as they should be.
    ///
    /// @param file that they are in
    /// @param position of the first
    public record Damage(Path file, long position, long size) {}

    /// Is told what is done.
    @FunctionalInterface
    public interface Steps {
        /// Before bytes are read from the source, or have been found in the stage: may wait.
        void next(long bytes, boolean reused) throws IOException;
    }

    /// A source that is damaged or cannot be read: the archive cannot be had from here, but others may.
    public static final class SourceException extends IOException {
        private static final long serialVersionUID = 1L;

        SourceException(IOException cause) {
            super(cause.getMessage(), cause);
        }

        /// {@return what is wrong with it}
        public IOException reason() {
            return (IOException) getCause();
        }
    }

    /// @param source wherever its data is
    /// @param folder of the volume that it goes to
    public ArchiveCopy(StoredArchive source, Path folder, Steps steps) {
        this.source = source;
        this.manifest = source.manifest();
        this.target = new StoredArchive(folder, manifest, source.keys());
        this.steps = steps;
    }

    /// {@return bytes that an interrupted run has left of an archive}
    public static long staged(Path folder, Manifest manifest) throws IOException {
        Path stage = stageOfData(folder, manifest);
        return Files.exists(stage) ? Files.size(stage) : 0;
    }

    /// Removes what interrupted runs have left of archives.
    ///
    /// @param kept archives that will be copied, so that what was left of them serves
    public static void discardStages(Path folder, Collection<Manifest> kept) throws IOException {
        List<Path> serving = kept.stream().map(manifest -> stageOfData(folder, manifest)).toList();
        List<Path> stages;
        try (Stream<Path> content = Files.list(folder)) {
            stages = content.filter(path -> path.getFileName().toString().startsWith(STAGE) && !serving.contains(path)).toList();
        }
        for (Path stage : stages) {
            Files.delete(stage);
        }
    }

    private static Path stageOfData(Path folder, Manifest manifest) {
        return folder.resolve(STAGE + manifest.dataName());
    }

    private static Path stage(Path folder, Manifest manifest, String extension) {
        return folder.resolve(STAGE + manifest.baseName() + extension);
    }

    /// {@return bytes of the data file that did not have to be read from the source}
    public long reused() {
        return reused;
    }

    /// {@return bytes that were damaged in one place and taken from another}
    public long mended() {
        return mended;
    }

    /// {@return what was found to be damaged in sources, group by group}
    public List<Damage> damage() {
        return List.copyOf(damage);
    }

    /// {@return whether what was written was read back past the page cache}
    public boolean fromMedium() {
        return fromMedium;
    }

    /// Brings all files of the archive: afterwards it is there, and known to be good.
    ///
    /// @throws SourceException if it cannot be had
    /// @throws IOException if it cannot be written
    public void run() throws IOException {
        Folder.create(target.folder());
        bringIndex();
        boolean there = Files.exists(target.data());
        Path data = there ? target.data() : stageOfData(target.folder(), manifest);
        Path tree = stage(target.folder(), manifest, ".tree");
        try (Arena arena = Arena.ofShared();
                RowFile rows = new RowFile(tree, 4096)) {
            rows.append(arena.allocate(FileTree.HEAD_SIZE, 8));
            bringData(data, rows, arena);
            MemorySegment head = arena.allocate(FileTree.HEAD_SIZE, 8);
            FileTree.encodeHead(head, manifest.file().size());
            rows.patch(head);
            rows.finish();
        } catch (SourceException e) {
            Files.deleteIfExists(tree);
            throw e; // what is right of the stage may serve when there is a better source
        } catch (IOException e) {
            Files.deleteIfExists(tree);
            if (!there) {
                Files.deleteIfExists(data); // the disk may be full
            }
            throw e;
        }
        Files.move(tree, target.tree(), StandardCopyOption.ATOMIC_MOVE);
        if (!there) {
            Files.move(data, target.data(), StandardCopyOption.ATOMIC_MOVE);
        }
        Folder.sync(target.folder());
        bringManifest();
    }

    /// Brings manifest and tables alone: the archive is known there, its data is not.
    ///
    /// @throws SourceException if they cannot be had
    public void runWithoutData() throws IOException {
        Folder.create(target.folder());
        bringIndex();
        bringManifest();
    }

    private void bringManifest() throws IOException {
        bringSignature();
        if (!Files.exists(target.manifestFile())) {
            Folder.replace(target.manifestFile(), manifest.encode());
        }
    }

    private void bringSignature() throws IOException {
        for (String name : List.of(Signature.SIGNER, manifest.baseName() + ".json" + Signature.EXTENSION)) {
            bringSmall(name);
        }
    }

    private void bringSmall(String name) throws IOException {
        for (Path folder : source.folders()) {
            if (!Files.exists(target.folder().resolve(name)) && Files.isRegularFile(folder.resolve(name))) {
                Folder.replace(target.folder().resolve(name), Folder.read(folder.resolve(name), Signature.MAX_SIZE));
            }
        }
    }

    private void bringIndex() throws IOException {
        if (Files.exists(target.index()) && good(target.index())) {
            return;
        }
        Path stage = stage(target.folder(), manifest, ".index");
        try (Index index = openIndex();
                RowFile copy = new RowFile(stage, 4096)) {
            index.copyTo(copy);
            copy.finish();
        }
        dropCache(stage);
        Index.open(stage, 0, manifest).close();
        Files.move(stage, target.index(), StandardCopyOption.ATOMIC_MOVE);
        Folder.sync(target.folder());
    }

    private Index openIndex() throws SourceException {
        try {
            return source.openIndex();
        } catch (IOException e) {
            throw new SourceException(e);
        }
    }

    private boolean good(Path index) throws IOException {
        try {
            Index.open(index, 0, manifest).close();
            return true;
        } catch (CorruptException | DeviceException e) {
            return false;
        }
    }

    /// so that what is read next comes from the medium
    private static void dropCache(Path file) throws IOException {
        int fd = Linux.open(file, Linux.O_RDONLY);
        try {
            Linux.dropCache(fd, 0, 0);
        } finally {
            Linux.close(fd);
        }
    }

    private void bringData(Path to, RowFile rows, Arena arena) throws IOException {
        List<ArchiveFile> sources = new ArrayList<>();
        try (FileChannel old = FileChannel.open(to, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                StageFile stage = new StageFile(to, rows)) {
            fromMedium = stage.direct();
            openSources(sources);
            FileTree tree = openTree(arena);
            long oldSize = old.size();
            long size = manifest.file().size();
            MemorySegment room = arena.allocate(GROUP, 4096);
            for (long position = 0; position < size; position += GROUP) {
                MemorySegment group = room.asSlice(0, Math.min(GROUP, size - position));
                if (tree != null && position + group.byteSize() <= oldSize && isGood(old, to, tree, position, group)) {
                    reused += group.byteSize();
                    steps.next(group.byteSize(), true);
                } else {
                    steps.next(group.byteSize(), false);
                    read(sources, tree, position, group);
                }
                stage.append(group);
            }
            Manifest.Digest found = stage.finish();
            if (!found.equals(manifest.file())) { // there was no tree to tell earlier, or where
                damage.add(new Damage(sources.getFirst().path(), 0, size));
                throw new SourceException(new CorruptException(Rule.F038, source.data().toString(),
                        "expected " + manifest.file().hash() + ", found " + found.hash()));
            }
        } finally {
            for (ArchiveFile file : sources) {
                file.close();
            }
        }
    }

    private void openSources(List<ArchiveFile> sources) throws SourceException {
        IOException failure = null;
        for (Path file : source.allData()) {
            try {
                sources.add(ArchiveFile.openStored(file, manifest));
            } catch (IOException e) {
                failure = e;
            }
        }
        if (sources.isEmpty()) {
            throw new SourceException(failure != null ? failure : new IOException(source.data() + ": not at hand"));
        }
    }

    /// {@return the first tree that is good, or null: then damage shows only at the end}
    private @Nullable FileTree openTree(Arena arena) {
        for (Path file : source.allTrees()) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                Mapped.probe(channel, file, 0, channel.size());
                return FileTree.decode(Mapped.map(channel, file, 0, channel.size(), arena), manifest.file(), file.toString());
            } catch (IOException e) {
                // the next may be better
            }
        }
        return null;
    }

    private boolean isGood(FileChannel old, Path path, FileTree tree, long position, MemorySegment group) {
        try {
            Mapped.read(old, path, position, group);
            return hash(position, group).equals(tree.value(position >>> FileTree.GROUP_LOG));
        } catch (IOException e) {
            return false;
        }
    }

    private void read(List<ArchiveFile> sources, @Nullable FileTree tree, long position, MemorySegment group) throws SourceException {
        Optional<IOException> failure = Optional.empty();
        for (ArchiveFile file : sources) {
            try {
                file.readStored(position, group);
                Hash expected = tree == null ? null : tree.value(position >>> FileTree.GROUP_LOG);
                Hash found = expected == null ? null : hash(position, group);
                if (found == null || found.equals(expected)) {
                    mended += failure.isPresent() ? group.byteSize() : 0;
                    return;
                }
                failure = Optional.of(new CorruptException(Rule.F038, file.path() + ": at " + position,
                        "expected " + expected + ", found " + found + "; varve verify tells more"));
            } catch (IOException e) {
                failure = Optional.of(e);
            }
            damage.add(new Damage(file.path(), position, group.byteSize()));
        }
        throw new SourceException(failure.orElseThrow());
    }

    private Hash hash(long position, MemorySegment group) {
        return manifest.file().size() <= GROUP ? hasher.whole(group) : hasher.subtree(group, position);
    }
}
