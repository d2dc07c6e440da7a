package varve.verify;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import varve.archive.block.FileDevice;
import varve.archive.file.Folder;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.hash.Hash;
import varve.archive.vault.Ranges;

/// One data file as it is stored: its groups against the file tree, and all of it against the manifest's hash.
///
/// Without a good tree the hash alone tells whether the file is whole, but not where it is damaged.
final class DataCheck {

    private final StoredArchive archive;
    private final Findings findings;
    private final Watcher watcher;
    private final String data;
    private final Manifest.Digest expected;
    private final Root root = new Root();
    private @Nullable FileTree tree;
    private long read;
    private long unread;
    private boolean whole = true;
    private final Ranges.Builder good = new Ranges.Builder(true);
    private final Ranges.Builder bad = new Ranges.Builder(false);

    /// Takes what a sweep saw of the content.
    interface ContentTaker {
        void take(FileSweep.Seen seen) throws IOException;
    }

    DataCheck(StoredArchive archive, Findings findings, Watcher watcher) {
        this.archive = archive;
        this.findings = findings;
        this.watcher = watcher;
        this.data = archive.data().getFileName().toString();
        this.expected = archive.manifest().file();
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

    /// Reads the file.
    ///
    /// @param content what else to prove on the way, or null
    /// @return whether all of it is as it was written
    boolean run(int threads, FileSweep.@Nullable Content content, ContentTaker contents) throws IOException {
        try (Arena arena = Arena.ofShared();
                FileDevice file = FileDevice.open(archive.data())) {
            openTree(arena);
            long size = Math.min(file.size(), expected.size());
            new FileSweep(file, size, FileTree.groups(expected.size()) == 1, content).run(threads, seen -> {
                for (FileSweep.Group group : seen.groups) {
                    take(group);
                }
                contents.take(seen);
                watcher.done(seen.size);
            });
            if (file.size() < expected.size()) {
                damaged(file.size(), expected.size() - file.size());
            } else if (tree == null && unread == 0) {
                checkHash();
            }
            return whole;
        }
    }

    /// @param arena that the tree lives in
    private void openTree(Arena arena) throws InterruptedIOException {
        String name = archive.tree().getFileName().toString();
        try (FileChannel channel = Folder.open(archive.tree())) {
            tree = FileTree.decode(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), expected, name);
        } catch (NoSuchFileException e) {
            findings.add(new Finding.MissingFile(name, Severity.SPARE, name + ": missing; damage to the data file can be seen, but not where it is"));
        } catch (IOException | RuntimeException | InternalError e) {
            findings.add(name, e, text -> new Finding.DamagedTree(name, Findings.rule(e), text));
        }
    }

    private void take(FileSweep.Group group) {
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
}
