package varve.verify;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import varve.archive.block.FileDevice;
import varve.archive.file.Folder;
import varve.archive.file.Sealed;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.seal.SealedContent;
import varve.archive.vault.Ranges;
import varve.verify.source.Root;

/// One data file as it is stored: its groups against the file tree, and all of it against the manifest's hash.
///
/// A [Sweep] reads it. Without a good tree the hash alone tells whether the file is whole, but not where it is damaged.
final class DataCheck implements Closeable {

    private final StoredArchive archive;
    private final Findings findings;
    private final Arena arena = Arena.ofShared();
    private final String data;
    private final Manifest.Digest expected;
    private final Root root = new Root();
    private @Nullable FileDevice file;
    private @Nullable FileTree tree;
    private long from;
    private long to;
    private @Nullable SealedContent sealed;
    private long read;
    private long unread;
    private boolean whole = true;
    private final Ranges.Builder good = new Ranges.Builder(true);
    private final Ranges.Builder bad = new Ranges.Builder(false);

    DataCheck(StoredArchive archive, Findings findings) {
        this.archive = archive;
        this.findings = findings;
        this.data = archive.data().getFileName().toString();
        this.expected = archive.manifest().file();
    }

    /// {@return the name of the data file}
    String name() {
        return data;
    }

    /// {@return bytes of the data file that were read}
    long read() {
        return read;
    }

    /// {@return what of the data file is as it was written}
    Ranges proved() {
        return good.build();
    }

    /// {@return what of it is not, or cannot be read}
    Ranges damaged() {
        return bad.build();
    }

    /// Opens the file and its tree.
    ///
    /// @param layer as which its nodes are to be proved, or [Strand#NO_CONTENT]
    /// @param first where the groups begin that are to be looked at; without a good tree it is all of the file
    /// @param end where they end
    /// @return what a sweep reads of it
    Strand open(int layer, long first, long end) throws IOException {
        openTree();
        from = tree == null ? 0 : first;
        to = tree == null ? expected.size() : end;
        file = FileDevice.open(archive.data());
        return new Strand(this, file, Math.min(from, file.size()), Math.min(to, file.size()), FileTree.groups(expected.size()) == 1, layer,
                layer == Strand.NO_CONTENT ? null : unseal());
    }

    private @Nullable SealedContent unseal() throws IOException {
        if (archive.manifest().seal().isEmpty()) {
            return null;
        }
        sealed = Sealed.open(archive.manifest(), archive.keys(), data, this::read);
        return sealed;
    }

    /// reads through native memory, which a device needs
    private void read(long position, MemorySegment into) throws IOException {
        try (Arena room = Arena.ofConfined()) {
            MemorySegment bytes = room.allocate(into.byteSize(), 8);
            file.read(position, bytes);
            into.copyFrom(bytes);
        }
    }

    /// Takes the groups of the file, in order.
    void take(List<Slab.Group> groups) {
        groups.forEach(this::take);
    }

    /// Takes the end of the part.
    ///
    /// @return whether all of it is as it was written
    boolean finish() {
        long end = Math.max(from, file.size());
        if (end < to) {
            damaged(end, to - end);
        } else if (tree == null && unread == 0) {
            checkHash();
        }
        return whole;
    }

    private void openTree() throws InterruptedIOException {
        String name = archive.tree().getFileName().toString();
        try (FileChannel channel = Folder.open(archive.tree())) {
            tree = FileTree.decode(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), expected, name);
        } catch (NoSuchFileException e) {
            findings.add(new Finding.MissingFile(name, Severity.SPARE, name + ": missing; damage to the data file can be seen, but not where it is"));
        } catch (IOException | RuntimeException | InternalError e) {
            findings.add(name, e, text -> new Finding.DamagedTree(name, Findings.rule(e), text));
        }
    }

    private void take(Slab.Group group) {
        if (group.position() >= to) { // read for the sake of a frame that goes on there
            return;
        }
        Hash hash = group.hash();
        if (hash == null) {
            unread += group.size();
            whole = false;
            bad.add(group.position(), group.position() + group.size());
            findings.unreadable(data, group.position(), group.size(), group.failure());
            return;
        }
        read += group.size();
        if (tree != null) {
            if (!hash.equals(value(tree, group.position() >>> FileTree.GROUP_LOG))) {
                damaged(group.position(), group.size());
            } else {
                good.add(group.position(), group.position() + group.size());
            }
        } else if (unread == 0) {
            root.add(hash, group.size());
        }
    }

    private @Nullable Hash value(FileTree tree, long group) {
        try {
            return tree.value(group);
        } catch (InternalError e) { // how a mapped file fails to be read
            return null;
        }
    }

    private void damaged(long position, long size) {
        whole = false;
        bad.add(position, position + size);
        findings.group(data, position, size);
    }

    private void checkHash() {
        Hash found = root.value();
        if (!found.equals(expected.hash())) {
            whole = false;
            bad.add(0, expected.size());
            findings.add(new Finding.WrongHash(data, data + ": file differs from its manifest (F038): expected " + expected.hash() + ", found " + found));
        } else {
            good.add(0, expected.size());
        }
    }

    @Override
    public void close() throws IOException {
        try (FileDevice open = file;
                SealedContent content = sealed) {
            arena.close();
        }
    }
}
