package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;
import varve.verify.HealingReport.Part;
import varve.verify.HealingReport.Range;
import varve.verify.HealingReport.Repair;

/// One archive in the vault that is to be healed: what of its files is damaged, and good bytes in the place of that.
///
/// Everything goes by hashes that the manifest gives: it names the data file's and the tables', and the data file's is that of the
/// file tree, which tells of each 1 MiB whether it is as it was written.
final class ArchiveHealing {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;

    private final HealingRun run;
    private final StoredArchive archive;
    private final Manifest manifest;
    private final String base;
    private final Place here;

    /// What a look at the data file has shown.
    ///
    /// @param size of the file; -1 if there is none
    /// @param bad ranges of whole groups, as far as the file should go
    /// @param unread likewise, what the medium does not give out
    private record Damage(long size, List<Range> bad, List<Range> unread) {}

    ArchiveHealing(HealingRun run, StoredArchive archive) {
        this.run = run;
        this.archive = archive;
        this.manifest = archive.manifest();
        this.base = manifest.baseName();
        this.here = run.places().getFirst();
    }

    /// @param believed the manifest
    /// @param fault what is wrong with it as it lies here, if anything is
    void run(Manifests.Believed believed, Optional<String> fault) throws IOException {
        // without data and without a tree: it was evicted, or never was here
        boolean data = Files.exists(file("zst")) || Files.exists(file("tree"));
        try (Arena arena = Arena.ofConfined();
                Index tables = findTables()) {
            Optional<FileTree> tree = data ? findTree(arena) : Optional.empty();
            if (data) {
                healData(tree, tables);
                healTree(tree, arena);
            } else {
                run.away();
            }
            healTables(tables);
        }
        if (fault.isPresent()) {
            healManifest(believed, fault.get());
        }
    }

    private Path file(String extension) {
        return here.file(base, extension);
    }

    private String name(String extension) {
        return base + "." + extension;
    }

    // ---- the tree

    private Optional<FileTree> findTree(Arena arena) throws IOException {
        if (FileTree.groups(manifest.file().size()) == 1) {
            return TreeSearch.find(manifest, List.of(), arena);
        }
        List<GroupValues> witnesses = new ArrayList<>();
        for (Place place : run.places()) {
            Optional<TreeFile> file = TreeFile.openAnyway(place.file(base, "tree"), manifest, arena);
            Optional<FileTree> tree = file.flatMap(f -> f.proved(manifest));
            if (tree.isPresent()) {
                return tree;
            }
            file.ifPresent(witnesses::add);
        }
        Optional<FileTree> tree = TreeSearch.find(manifest, witnesses, arena);
        for (Place place : run.places()) {
            if (tree.isEmpty()) {
                try {
                    witnesses.add(GroupHashes.of(place.file(base, "zst"), manifest, run.threads(), arena));
                    tree = TreeSearch.find(manifest, witnesses, arena);
                } catch (DeviceException | FileSystemException e) {
                    // it is not there, or says nothing
                }
            }
        }
        return tree;
    }

    private void healTree(Optional<FileTree> tree, Arena arena) throws IOException {
        if (TreeFile.open(file("tree"), manifest, arena).isPresent()) {
            return;
        }
        String damage = Files.exists(file("tree")) ? "not the tree of the data file" : "missing";
        if (tree.isEmpty()) {
            run.lost(archive, name("tree"), Optional.empty(), damage + ", and nothing is whole that it could be made of", List.of());
            return;
        }
        long groups = tree.get().groups();
        MemorySegment bytes = arena.allocate(FileTree.HEAD_SIZE + groups * Hash.SIZE, 8);
        FileTree.encodeHead(bytes, manifest.file().size());
        for (long group = 0; group < groups; group++) {
            tree.get().value(group).write(bytes, FileTree.HEAD_SIZE + group * Hash.SIZE);
        }
        replace("tree", damage, bytes, "the hashes of the data file");
    }

    // ---- the tables

    /// {@return the tables out of the first place where they are good, or null}
    private @Nullable Index findTables() throws IOException {
        for (Place place : run.places()) {
            try {
                return Index.open(place.file(base, "index"), 0, manifest);
            } catch (UnsupportedException e) {
                throw e;
            } catch (IOException | RuntimeException | InternalError e) { // the last is how a mapped file fails to be read
                // the next may be better
            }
            Index own = ownTables(place.file(base, "zst"));
            if (own != null) {
                return own;
            }
        }
        return null;
    }

    private @Nullable Index ownTables(Path data) {
        try {
            return ArchiveFile.findOwnIndex(data, manifest).orElse(null);
        } catch (IOException | RuntimeException | InternalError e) {
            return null;
        }
    }

    private void healTables(@Nullable Index found) throws IOException {
        String damage;
        try {
            Index.open(file("index"), 0, manifest).close();
            return;
        } catch (IOException | RuntimeException | InternalError e) {
            damage = Files.exists(file("index")) ? Findings.text(name("index"), e) : "missing";
        }
        try (Index healed = found == null ? ownTables(file("zst")) : null;
                Arena arena = Arena.ofConfined()) {
            Index tables = found == null ? healed : found;
            if (tables == null) {
                run.lost(archive, name("index"), Optional.empty(), damage + ", and so is what the data files have of it", List.of());
                return;
            }
            MemorySegment bytes = arena.allocate(manifest.index().size(), 8);
            tables.copy(0, bytes);
            replace("index", damage, bytes, "another copy of the tables");
        }
    }

    // ---- the manifest

    private void healManifest(Manifests.Believed believed, String damage) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(believed.text().length, 8);
            bytes.copyFrom(MemorySegment.ofArray(believed.text()));
            replace("json", damage, bytes, believed.from().vault());
        }
    }

    /// Replaces a small file.
    private void replace(String extension, String damage, MemorySegment bytes, String from) throws IOException {
        Repair repair = new Repair(name(extension), damage, bytes.byteSize(), List.of(new Part(0, bytes.byteSize(), from)), true);
        if (run.dryRun()) {
            run.healed(repair);
            return;
        }
        Path file = file(extension);
        try (Replacement replacement = new Replacement(file)) {
            replacement.write(0, bytes);
            replacement.finish(bytes.byteSize());
            if (!holds(replacement.stage(), bytes)) {
                throw new DeviceException(replacement.stage() + ": does not read back as it was written: the medium or the path to it is faulty");
            }
            replacement.swap();
            run.healed(repair);
        } catch (DeviceException | FileSystemException e) {
            run.lost(archive, name(extension), Optional.empty(), damage + "; it could be healed, but not be written: " + e.getMessage(), List.of());
        }
    }

    private static boolean holds(Path file, MemorySegment bytes) throws IOException {
        try (FileDevice device = FileDevice.open(file);
                Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(bytes.byteSize(), 8);
            device.read(0, found);
            return device.size() == bytes.byteSize() && found.mismatch(bytes) < 0;
        }
    }

    // ---- the data

    private void healData(Optional<FileTree> tree, @Nullable Index tables) throws IOException {
        Path file = file("zst");
        String name = name("zst");
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            run.lost(archive, name, Optional.empty(), "not a file", List.of());
        } else if (tree.isEmpty()) {
            run.lost(archive, name, Optional.empty(), "damaged, and so are the file trees: nothing tells where", allChunks(tables));
        } else {
            Damage damage = look(file, tree.get());
            run.read(Math.max(0, damage.size));
            if (!damage.bad.isEmpty() || damage.size != manifest.file().size()) {
                healData(file, tree.get(), tables, damage);
            }
        }
    }

    private Damage look(Path file, FileTree tree) throws IOException {
        List<Range> bad = new ArrayList<>();
        List<Range> unread = new ArrayList<>();
        long size = manifest.file().size();
        long fileSize = -1;
        if (Files.exists(file)) {
            try (FileDevice data = FileDevice.open(file)) {
                fileSize = data.size();
                GroupSweep.run(data, Math.min(size, fileSize), tree.groups() == 1, run.threads(), group -> {
                    long whole = tree.groupSize(group.position() >>> FileTree.GROUP_LOG);
                    if (group.hash() == null) {
                        Range.add(unread, group.position(), whole);
                    }
                    if (group.hash() == null || !group.hash().equals(tree.value(group.position() >>> FileTree.GROUP_LOG))) {
                        Range.add(bad, group.position(), whole);
                    }
                    run.done(group.size());
                });
            }
        }
        long end = Math.min(size, (Math.max(0, fileSize) + GROUP - 1) & -GROUP);
        if (end < size) {
            Range.add(bad, end, size - end);
        }
        return new Damage(fileSize, bad, unread);
    }

    private String words(Damage damage) {
        long size = manifest.file().size();
        if (damage.size < 0) {
            return "missing";
        }
        List<String> words = new ArrayList<>();
        if (damage.size != size) {
            words.add(damage.size < size ? "cut off at " + damage.size + " of " + size + " bytes" : (damage.size - size) + " bytes too many at the end");
        }
        if (!damage.unread.isEmpty()) {
            words.add(sum(damage.unread) + " bytes cannot be read");
        }
        long different = sum(damage.bad) - sum(damage.unread) - (damage.size < size ? size - damage.size : 0);
        if (different > 0) {
            words.add(damage.bad.size() == 1 ? damage.bad.getFirst().size() + " bytes at position " + damage.bad.getFirst().from() + " differ"
                    : sum(damage.bad) + " bytes in " + damage.bad.size() + " ranges differ");
        }
        return String.join(", ", words);
    }

    private static long sum(List<Range> ranges) {
        return ranges.stream().mapToLong(Range::size).sum();
    }

    private void healData(Path file, FileTree tree, @Nullable Index tables, Damage damage) throws IOException {
        List<Part> parts = new ArrayList<>();
        List<Range> lost = new ArrayList<>();
        try (Replacement replacement = run.dryRun() ? null : new Replacement(file);
                Relatives relatives = run.relatives();
                GroupFinder finder = new GroupFinder(run.places(), archive, tree, tables, relatives)) {
            find(finder, damage.bad, parts, lost, replacement);
            run.readElsewhere(finder.readElsewhere());
            boolean stuck = overlap(damage.unread, lost);
            if (!stuck && (!parts.isEmpty() || damage.size > manifest.file().size())) {
                if (replacement != null) {
                    complete(replacement, file, tree, damage.size, parts, lost);
                }
                run.healed(new Repair(name("zst"), words(damage), manifest.file().size(), List.copyOf(parts), lost.isEmpty()));
            }
            String why = "no good copy is at hand" + (stuck ? "; the file stays as it is: its medium may yet give out what nothing else has" : "");
            for (Range range : lost) {
                run.lost(archive, name("zst"), Optional.of(range), why, chunks(tables, finder.lostRows(), range));
            }
        } catch (DeviceException | FileSystemException e) {
            run.lost(archive, name("zst"), Optional.empty(), words(damage) + "; " + e.getMessage(), allChunks(tables));
        }
    }

    private void find(GroupFinder finder, List<Range> bad, List<Part> parts, List<Range> lost, @Nullable Replacement into) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(GROUP, 4096);
            for (Range range : bad) {
                for (long at = range.from(); at < range.end(); at += GROUP) {
                    MemorySegment group = room.asSlice(0, Math.min(GROUP, range.end() - at));
                    String from = finder.find(at >>> FileTree.GROUP_LOG, group);
                    if (from == null) {
                        Range.add(lost, at, group.byteSize());
                        continue;
                    }
                    add(parts, at, group.byteSize(), from);
                    if (into != null) {
                        into.write(at, group);
                    }
                }
            }
        }
    }

    private static void add(List<Part> parts, long position, long size, String from) {
        Part last = parts.isEmpty() ? null : parts.getLast();
        if (last != null && last.position() + last.size() == position && last.from().equals(from)) {
            parts.set(parts.size() - 1, new Part(last.position(), last.size() + size, from));
        } else {
            parts.add(new Part(position, size, from));
        }
    }

    private static boolean overlap(List<Range> some, List<Range> others) {
        return some.stream().anyMatch(a -> others.stream().anyMatch(b -> a.from() < b.end() && b.from() < a.end()));
    }

    /// takes over what was not healed, proves all of it from the medium, and swaps
    private void complete(Replacement replacement, Path file, FileTree tree, long oldSize, List<Part> parts, List<Range> lost) throws IOException {
        long size = manifest.file().size();
        long kept = Math.min(size, Math.max(0, oldSize));
        if (kept > 0) {
            try (FileChannel old = FileChannel.open(file, StandardOpenOption.READ)) {
                long at = 0;
                for (Part part : parts) {
                    replacement.keep(old, at, Math.min(kept, part.position()));
                    at = part.position() + part.size();
                }
                replacement.keep(old, at, kept);
            }
        }
        long end = parts.isEmpty() ? 0 : parts.getLast().position() + parts.getLast().size();
        replacement.finish(lost.isEmpty() ? size : Math.max(kept, end));
        Damage left = look(replacement.stage(), tree);
        if (!left.bad.equals(lost)) {
            throw new DeviceException(replacement.stage() + ": does not read back as it was written: the medium or the path to it is faulty");
        }
        replacement.swap();
    }

    // ---- what is lost

    private List<Range> allChunks(@Nullable Index tables) throws IOException {
        List<Range> chunks = new ArrayList<>();
        for (long row = 0; tables != null && row < tables.nodes(); row++) {
            addChunk(chunks, tables, row);
        }
        return chunks;
    }

    /// {@return the ranges of the device whose frames reach into a range of the file, and are lost}
    ///
    /// @param rows the first of each lost frame
    private static List<Range> chunks(@Nullable Index tables, Set<Long> rows, Range range) throws IOException {
        List<Range> chunks = new ArrayList<>();
        for (long first : rows) {
            Node.Frame frame = tables.node(first).frame();
            if (frame.position() < range.end() && range.from() < frame.end()) {
                for (long row = first; row < tables.nodes() && (tables.node(row).frame().equals(frame) || tables.node(row).frame().size() == 0); row++) {
                    addChunk(chunks, tables, row);
                }
            }
        }
        return chunks;
    }

    private static void addChunk(List<Range> to, Index tables, long row) throws IOException {
        Node node = tables.node(row);
        if (!node.zero() && node.frame().size() > 0) {
            Range.add(to, tables.geometry().offset(node.chunk()), tables.geometry().length(node.chunk(), 1));
        }
    }
}
