package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;

/// A file tree as it lies there, good or not: each of its values may be right even if another is not.
final class TreeFile implements GroupValues {

    private final MemorySegment bytes;

    private TreeFile(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /// Opens a tree, whatever is wrong with it.
    ///
    /// @param arena that it lives in
    /// @return empty if there is nothing that can be read
    static Optional<TreeFile> openAnyway(Path file, Manifest manifest, Arena arena) {
        long most = FileTree.HEAD_SIZE + FileTree.groups(manifest.file().size()) * Hash.SIZE + 1;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment bytes = arena.allocate(Math.min(most, channel.size()), 8);
            for (long done = 0; done < bytes.byteSize(); ) {
                int count = channel.read(bytes.asSlice(done, Math.min(1 << 30, bytes.byteSize() - done)).asByteBuffer(), done);
                if (count <= 0) {
                    bytes = bytes.asSlice(0, done);
                }
                done += count;
            }
            return Optional.of(new TreeFile(bytes));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// {@return the tree, if it is that of the archive}
    static Optional<FileTree> open(Path file, Manifest manifest, Arena arena) {
        return openAnyway(file, manifest, arena).flatMap(tree -> tree.proved(manifest));
    }

    Optional<FileTree> proved(Manifest manifest) {
        try {
            return Optional.of(FileTree.decode(bytes, manifest.file(), "tree"));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public @Nullable Hash at(long group) {
        long position = FileTree.HEAD_SIZE + group * Hash.SIZE;
        return position + Hash.SIZE <= bytes.byteSize() ? Hash.read(bytes, position) : null;
    }
}
