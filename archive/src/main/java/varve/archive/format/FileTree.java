package varve.archive.format;

import java.lang.foreign.MemorySegment;
import varve.archive.hash.Hash;
import varve.archive.hash.TreeMerge;

/// The hashes of each 1 MiB of a data file, to find damage without decompressing: FORMAT.md section 7.
///
/// A view of the encoded bytes, which are checked when it is decoded.
public final class FileTree {

    public static final int GROUP_LOG = 20;
    public static final int HEAD_SIZE = 24;

    private static final String TAG = "VARVETRE";
    private static final int VERSION = 1;

    private final MemorySegment bytes;
    private final long fileSize;

    private FileTree(MemorySegment bytes, long fileSize) {
        this.bytes = bytes;
        this.fileSize = fileSize;
    }

    /// {@return how many values the tree of a file has}
    public static long groups(long fileSize) {
        return Math.max(1, (fileSize + (1 << GROUP_LOG) - 1) >>> GROUP_LOG);
    }

    /// Writes what comes before the values.
    public static void encodeHead(MemorySegment to, long fileSize) {
        Bytes.tag(to, 0, TAG);
        Bytes.u32(to, 8, VERSION);
        Bytes.u32(to, 12, GROUP_LOG);
        Bytes.u64(to, 16, fileSize);
    }

    /// {@return the tree in `bytes`, proved to be that of a file}
    /// @param file what the manifest says of the file
    /// @throws CorruptException F041, F042
    public static FileTree decode(MemorySegment bytes, Manifest.Digest file, String where) throws CorruptException {
        if (!Bytes.hasTag(bytes, 0, TAG)
                || bytes.byteSize() < HEAD_SIZE
                || Bytes.u32(bytes, 8) != VERSION
                || Bytes.u32(bytes, 12) != GROUP_LOG) {
            throw new CorruptException(Rule.F041, where, "expected the head of a file tree");
        }
        long fileSize = Bytes.u64(bytes, 16);
        if (fileSize != file.size() || bytes.byteSize() - HEAD_SIZE != groups(fileSize) * Hash.SIZE) {
            throw new CorruptException(
                    Rule.F041, where, bytes.byteSize() + " bytes for a file of " + Long.toUnsignedString(fileSize) + ", expected one of " + file.size());
        }
        FileTree tree = new FileTree(bytes, fileSize);
        Hash root = tree.root();
        if (!root.equals(file.hash())) {
            throw new CorruptException(Rule.F042, where, "expected " + file.hash() + ", found " + root);
        }
        return tree;
    }

    public long groups() {
        return groups(fileSize);
    }

    /// {@return the size of a group in bytes}
    public long groupSize(long group) {
        return Math.min(fileSize - (group << GROUP_LOG), 1 << GROUP_LOG);
    }

    /// {@return the chaining value of a group at its own place, or the root if it is the only one}
    public Hash value(long group) {
        return Hash.read(bytes, HEAD_SIZE + group * Hash.SIZE);
    }

    private Hash root() {
        if (groups() == 1) {
            return value(0);
        }
        TreeMerge merge = new TreeMerge();
        for (long group = 0; group < groups(); group++) {
            merge.add(value(group), groupSize(group));
        }
        return merge.root();
    }
}
