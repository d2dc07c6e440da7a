package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.block.FileDevice;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Folder;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.FileTree;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;
import varve.archive.sign.Signature;
import varve.archive.sign.UntrustedException;
import varve.archive.vault.Signatures;
import varve.archive.vault.Ranges;
import varve.verify.HealingReport.Part;
import varve.verify.HealingReport.Repair;

/// One archive in the vault that is to be healed: what of its files is damaged, and good bytes in the place of that.
///
/// Everything goes by hashes that the manifest gives: it names the data file's and the tables', and the data file's is that of the
/// file tree, which tells of each 1 MiB whether it is as it was written.
final class ArchiveHealing {

    private static final int GROUP = 1 << FileTree.GROUP_LOG;
    private static final String SIGNATURE = "json" + Signature.EXTENSION;

    private final HealingRun run;
    private final StoredArchive archive;
    private final Manifest manifest;
    private final String base;
    private final Place here;
    private final String data;

    /// What a look at a data file has shown.
    ///
    /// @param size of the file; -1 if there is none
    /// @param bad whole groups, as far as the file should go
    /// @param unread likewise, what the medium does not give out
    private record Damage(long size, Ranges bad, Ranges unread) {}

    ArchiveHealing(HealingRun run, StoredArchive archive) {
        this.run = run;
        this.archive = archive;
        this.manifest = archive.manifest();
        this.base = manifest.baseName();
        this.here = run.places().getFirst();
        this.data = manifest.dataExtension();
    }

    /// @param believed the manifest
    /// @param fault what is wrong with it as it lies here, if anything is
    void run(Manifests.Believed believed, Optional<String> fault) throws IOException {
        boolean there = Files.exists(file(data)) || run.presence().of(base).orElseGet(() -> Files.exists(file("tree")));
        try (Arena arena = Arena.ofConfined();
                Index tables = findTables()) {
            if (there) {
                Optional<FileTree> tree = findTree(arena);
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
        healSignature(believed);
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
                    witnesses.add(GroupHashes.of(place.file(base, data), manifest, run.threads(), arena));
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
            run.lost(archive, name("tree"), Optional.empty(), damage + ", and nothing is whole that it could be made of", Ranges.NONE);
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
            Index own = ownTables(place.file(base, data));
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
            damage = Files.exists(file("index")) ? "not the tables of the archive" : "missing";
        }
        try (Index healed = found == null ? ownTables(file(data)) : null;
                Arena arena = Arena.ofConfined()) {
            Index tables = found == null ? healed : found;
            if (tables == null) {
                run.lost(archive, name("index"), Optional.empty(), damage + ", and so are the tables in the data files", Ranges.NONE);
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

    private void healSignature(Manifests.Believed believed) throws IOException {
        Signatures signatures = Signatures.of(here.volume());
        if (!signatures.signed() || signedIn(here, signatures, believed)) {
            return;
        }
        String damage = Files.exists(file(SIGNATURE)) ? "not the signature of the manifest" : "missing";
        for (Place place : run.places()) {
            if (signedIn(place, signatures, believed)) {
                byte[] text = Folder.read(place.file(base, SIGNATURE), Signature.MAX_SIZE);
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment bytes = arena.allocate(text.length, 8);
                    bytes.copyFrom(MemorySegment.ofArray(text));
                    replace(SIGNATURE, damage, bytes, place.vault());
                }
                return;
            }
        }
        run.lost(archive, name(SIGNATURE), Optional.empty(), damage + ", and no other vault at hand has it; varve sign makes it anew, with the key", Ranges.NONE);
    }

    private boolean signedIn(Place place, Signatures signatures, Manifests.Believed believed) throws IOException {
        try {
            signatures.checkSignature(place.file(base, "json"), believed.text());
            return true;
        } catch (UntrustedException e) {
            return false;
        }
    }

    /// Replaces a small file.
    private void replace(String extension, String damage, MemorySegment bytes, String from) throws IOException {
        Repair repair = new Repair(name(extension), damage, bytes.byteSize(), List.of(new Part(0, bytes.byteSize(), from)), true);
        if (run.dryRun()) {
            run.healed(repair);
            return;
        }
        try (Replacement replacement = new Replacement(file(extension))) {
            replacement.write(0, bytes);
            replacement.finish(bytes.byteSize());
            if (!holds(replacement.stage(), bytes)) {
                throw readsBackDifferently(replacement);
            }
            replacement.swap();
            run.healed(repair);
        } catch (DeviceException | FileSystemException e) {
            run.lost(archive, name(extension), Optional.empty(), damage + "; it could be healed, but not be written: " + e.getMessage(), Ranges.NONE);
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

    private static DeviceException readsBackDifferently(Replacement replacement) {
        return new DeviceException(replacement.stage() + ": does not read back as it was written: the medium or the path to it is faulty");
    }

    // ---- the data

    private void healData(Optional<FileTree> tree, @Nullable Index tables) throws IOException {
        Path file = file(data);
        Ranges whole = Ranges.of(0, manifest.file().size());
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            run.lost(archive, name(data), Optional.empty(), "no regular file", Ranges.NONE);
        } else if (tree.isEmpty()) {
            run.lost(archive, name(data), Optional.empty(), "damaged, and so are the file trees: nothing tells where", chunks(tables));
            run.proved(archive, Ranges.NONE, whole, false);
        } else {
            Damage damage = look(file, tree.get(), true);
            if (damage.bad.isEmpty() && damage.size == manifest.file().size()) {
                run.proved(archive, whole, Ranges.NONE, false);
            } else {
                healData(file, tree.get(), tables, damage);
            }
        }
    }

    /// Compares a data file with the tree.
    ///
    /// @param here whether it is that of the vault
    private Damage look(Path file, FileTree tree, boolean here) throws IOException {
        Ranges.Builder bad = new Ranges.Builder(false);
        Ranges.Builder unread = new Ranges.Builder(false);
        long size = manifest.file().size();
        long[] end = {0};
        long fileSize = -1;
        if (Files.exists(file)) {
            try (FileDevice data = FileDevice.open(file)) {
                fileSize = data.size();
                GroupSweep.run(data, Math.min(size, fileSize), tree.groups() == 1, run.threads(), group -> {
                    long number = group.position() >>> FileTree.GROUP_LOG;
                    end[0] = group.position() + tree.groupSize(number);
                    if (group.hash() == null) {
                        unread.add(group.position(), end[0]);
                    }
                    if (!tree.value(number).equals(group.hash())) {
                        bad.add(group.position(), end[0]);
                    }
                    run.read(here ? group.size() : 0);
                });
            }
        }
        return new Damage(fileSize, bad.add(end[0], size).build(), unread.build());
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
            words.add(damage.unread.size() + " bytes cannot be read" + places(damage.unread));
        }
        Ranges different = damage.bad.minus(damage.unread).minus(damage.size < size ? Ranges.of(damage.size & -GROUP, size) : Ranges.NONE);
        if (!different.isEmpty()) {
            words.add(different.size() + " bytes differ" + places(different));
        }
        return String.join(", ", words);
    }

    private static String places(Ranges ranges) {
        return ranges.list().size() == 1 ? " at position " + ranges.list().getFirst().from() : " in " + ranges.list().size() + " ranges";
    }

    private void healData(Path file, FileTree tree, @Nullable Index tables, Damage damage) throws IOException {
        List<Part> parts = new ArrayList<>();
        long size = manifest.file().size();
        boolean sealed = manifest.seal().isPresent(); // then only copies of the same file help
        try (Replacement replacement = run.dryRun() ? null : new Replacement(file);
                Relatives relatives = run.relatives();
                GroupFinder finder = new GroupFinder(run.places(), archive, tree, sealed ? null : tables, relatives)) {
            find(finder, damage.bad, parts, replacement);
            run.readElsewhere(finder.readElsewhere());
            run.damagedElsewhere(archive, finder.damagedElsewhere());
            Ranges found = Ranges.union(parts.stream().map(part -> new Ranges.Range(part.position(), part.position() + part.size())).toList());
            Ranges lost = damage.bad.minus(found);
            boolean stuck = !damage.unread.and(lost).isEmpty();
            boolean worth = !stuck && (!found.isEmpty() || damage.size > size);
            if (worth && replacement != null) {
                complete(replacement, file, tree, damage.size, found, lost);
            }
            if (worth) {
                run.healed(new Repair(name(data), words(damage), size, List.copyOf(parts), lost.isEmpty()));
            }
            String why = "no good copy is at hand" + (stuck ? "; the file stays as it is: its medium may yet give out what nothing else has" : "");
            for (Ranges.Range range : lost.list()) {
                run.lost(archive, name(data), Optional.of(range), why, sealed ? chunks(tables) : chunks(tables, finder.lostRows(), range));
            }
            Ranges bad = worth ? lost : damage.bad;
            run.proved(archive, Ranges.of(0, size).minus(bad), bad, worth);
        } catch (DeviceException | FileSystemException e) {
            run.lost(archive, name(data), Optional.empty(), words(damage) + "; " + e.getMessage(), chunks(tables));
            run.proved(archive, Ranges.of(0, size).minus(damage.bad), damage.bad, false);
        }
    }

    private static void find(GroupFinder finder, Ranges bad, List<Part> parts, @Nullable Replacement into) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(GROUP, 4096);
            for (Ranges.Range range : bad.list()) {
                for (long at = range.from(); at < range.to(); at += GROUP) {
                    MemorySegment group = room.asSlice(0, Math.min(GROUP, range.to() - at));
                    String from = finder.find(at >>> FileTree.GROUP_LOG, group);
                    if (from != null) {
                        add(parts, at, group.byteSize(), from);
                        if (into != null) {
                            into.write(at, group);
                        }
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

    /// takes over what was not healed, proves all of it from the medium, and swaps
    private void complete(Replacement replacement, Path file, FileTree tree, long oldSize, Ranges found, Ranges lost) throws IOException {
        long kept = Math.min(manifest.file().size(), Math.max(0, oldSize));
        if (kept > 0) {
            try (FileChannel old = Folder.open(file)) {
                for (Ranges.Range range : Ranges.of(0, kept).minus(found).list()) {
                    replacement.keep(old, range.from(), range.to());
                }
            }
        }
        replacement.finish(lost.isEmpty() ? manifest.file().size() : Math.max(kept, found.end()));
        if (!look(replacement.stage(), tree, false).bad.equals(lost)) {
            throw readsBackDifferently(replacement);
        }
        replacement.swap();
    }

    // ---- what is lost

    /// {@return all of the device that the archive has payload for}
    private static Ranges chunks(@Nullable Index tables) throws IOException {
        Ranges.Builder chunks = new Ranges.Builder(false);
        for (long row = 0; tables != null && row < tables.nodes(); row++) {
            add(chunks, tables, row);
        }
        return chunks.build();
    }

    /// {@return what of the device was sought in vain and has its frames in a range of the file}
    ///
    /// @param rows the first of each lost frame
    private static Ranges chunks(@Nullable Index tables, Set<Long> rows, Ranges.Range range) throws IOException {
        Ranges.Builder chunks = new Ranges.Builder(false);
        for (long first : rows.stream().sorted().toList()) {
            Node.Frame frame = tables.node(first).frame();
            if (frame.position() < range.to() && range.from() < frame.end()) {
                for (long row = first; row < tables.nodes() && (tables.node(row).frame().equals(frame) || tables.node(row).frame().size() == 0); row++) {
                    add(chunks, tables, row);
                }
            }
        }
        return chunks.build();
    }

    private static void add(Ranges.Builder to, Index tables, long row) throws IOException {
        Node node = tables.node(row);
        if (!node.zero() && node.frame().size() > 0) {
            long offset = tables.geometry().offset(node.chunk());
            to.add(offset, offset + tables.geometry().length(node.chunk(), 1));
        }
    }
}
