package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import varve.archive.block.FileDevice;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.verify.source.Root;

/// The hashes of a data file's groups as it lies there, read from its beginning to its end: 32 bytes of memory for each MiB.
final class GroupHashes implements GroupValues {

    private final MemorySegment values;
    private final long fileSize;
    private final BitSet read = new BitSet();

    private GroupHashes(MemorySegment values, long fileSize) {
        this.values = values;
        this.fileSize = fileSize;
    }

    /// @param arena that they live in
    static GroupHashes of(Path file, Manifest manifest, int threads, Arena arena) throws IOException {
        try (FileDevice data = FileDevice.open(file)) {
            long size = Math.min(manifest.file().size(), data.size());
            GroupHashes hashes = new GroupHashes(arena.allocate(FileTree.groups(size) * Hash.SIZE, 8), data.size());
            GroupSweep.run(data, size, FileTree.groups(manifest.file().size()) == 1, threads, hashes::take);
            return hashes;
        }
    }

    /// {@return whether they are those of the whole data file that a manifest names}
    boolean areOf(Manifest manifest) {
        if (fileSize != manifest.file().size() || read.cardinality() < FileTree.groups(fileSize)) {
            return false;
        }
        Root root = new Root();
        for (long group = 0; group < FileTree.groups(fileSize); group++) {
            root.add(at(group), Math.min(fileSize - (group << FileTree.GROUP_LOG), 1 << FileTree.GROUP_LOG));
        }
        return root.value().equals(manifest.file().hash());
    }

    private void take(Slab.Group group) {
        Hash hash = group.hash();
        if (hash != null) {
            int number = Math.toIntExact(group.position() >>> FileTree.GROUP_LOG);
            hash.write(values, (long) number * Hash.SIZE);
            read.set(number);
        }
    }

    @Override
    public @Nullable Hash at(long group) {
        return read.get((int) group) ? Hash.read(values, group * Hash.SIZE) : null;
    }
}
