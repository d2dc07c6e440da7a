package varve.verify;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Index;
import varve.archive.file.Skeleton;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.FileTree;
import varve.archive.format.Node;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.vault.Ranges;

/// Finds what belongs into the damaged groups of one data file: bytes that have the hash that the file tree gives for the group, and no
/// others.
///
/// The first choice is the same group of another copy. Else the group is put together: what follows from the tables ([Skeleton]), each
/// data frame from wherever one can be had that holds what the tables say ([FrameFinder]), and what is left as it lies in one of the
/// copies.
///
/// For one thread. Close it.
final class GroupFinder implements Closeable {

    private static final int PAGE = 4096;
    private static final int MOST_WAYS = 256;
    private static final String TABLES = "its own tables";

    private final List<Place> places;
    private final StoredArchive archive;
    private final FileTree tree;
    private final @Nullable Index tables;
    private final @Nullable Skeleton skeleton;
    private final @Nullable FrameFinder frames;
    private final Map<Place, ArchiveFile> copies = new LinkedHashMap<>();
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final Set<Long> lostRows = new LinkedHashSet<>();
    private final Map<Place, Ranges.Builder> damaged = new LinkedHashMap<>();
    private long readElsewhere;

    /// @param places the folder that is to be healed, and others
    /// @param tables of the archive, if there are good ones; they outlive this
    /// @throws CorruptException if the tables are not of a file of this size
    GroupFinder(List<Place> places, StoredArchive archive, FileTree tree, @Nullable Index tables, Relatives relatives)
            throws CorruptException {
        this.places = places;
        this.archive = archive;
        this.tree = tree;
        this.tables = tables;
        this.skeleton = tables == null ? null : new Skeleton(tables, archive.manifest());
        for (Place place : places) {
            try {
                copies.put(place, ArchiveFile.openAnyway(place.file(archive.manifest().baseName(), archive.manifest().dataExtension())));
            } catch (IOException e) {
                // there is none, or it cannot be read at all
            }
        }
        this.frames = tables == null ? null : new FrameFinder(archive, tables, List.copyOf(copies.values()), relatives);
    }

    /// {@return bytes of the group that other copies had to be asked for}
    long readElsewhere() {
        return readElsewhere;
    }

    /// {@return rows of the node table whose payload was sought in vain}
    Set<Long> lostRows() {
        return lostRows;
    }

    /// {@return what of the other copies was looked at and is not as it was written}
    Map<Place, Ranges> damagedElsewhere() {
        Map<Place, Ranges> ranges = new LinkedHashMap<>();
        damaged.forEach((place, builder) -> ranges.put(place, builder.build()));
        return ranges;
    }

    /// Finds the bytes of a group.
    ///
    /// @param group native memory of the group's size
    /// @return where they were found, or null
    @Nullable String find(long number, MemorySegment group) throws IOException {
        long position = number << FileTree.GROUP_LOG;
        for (Map.Entry<Place, ArchiveFile> copy : copies.entrySet()) {
            if (!copy.getKey().equals(places.getFirst())) {
                try {
                    readElsewhere += group.byteSize();
                    copy.getValue().readStored(position, group);
                    if (fits(number, group)) {
                        return copy.getKey().vault();
                    }
                } catch (IOException e) {
                    // the next may be better
                }
                damaged.computeIfAbsent(copy.getKey(), place -> new Ranges.Builder(false)).add(position, position + group.byteSize());
            }
        }
        return tables == null ? null : putTogether(number, position, group);
    }

    private boolean fits(long number, MemorySegment group) {
        Hash hash = tree.groups() == 1 ? hasher.whole(group) : hasher.subtree(group, number << FileTree.GROUP_LOG);
        return hash.equals(tree.value(number));
    }

    private @Nullable String putTogether(long number, long position, MemorySegment group) throws IOException {
        for (@Nullable ArchiveFile base : bases()) {
            lay(base, position, group);
            if (fits(number, group)) {
                return TABLES;
            }
        }
        List<Long> rows = frameRows(position, position + group.byteSize());
        Set<String> sources = new LinkedHashSet<>();
        List<Piece> pieces = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            List<Long> missing = new ArrayList<>();
            for (long row : rows) {
                FrameFinder.Found found = frames.find(row, arena);
                if (found == null || !found.own()) {
                    missing.add(row);
                }
                if (found != null) {
                    pieces.add(new Piece(tables.node(row).frame().position(), found.choices()));
                    sources.add(found.from());
                }
            }
            for (@Nullable ArchiveFile base : bases()) {
                for (int way = 0; way < ways(pieces); way++) {
                    lay(base, position, group);
                    put(pieces, way, position, group);
                    if (fits(number, group)) {
                        return String.join(", ", sources);
                    }
                }
            }
            lostRows.addAll(missing);
            return null;
        }
    }

    /// {@return what a group is put together on: any copy, or nothing}
    private List<@Nullable ArchiveFile> bases() {
        List<@Nullable ArchiveFile> bases = new ArrayList<>(copies.values());
        if (bases.isEmpty()) {
            bases.add(null);
        }
        return bases;
    }

    private void lay(@Nullable ArchiveFile base, long position, MemorySegment group) throws IOException {
        group.fill((byte) 0);
        if (base != null) {
            readAnyway(base, position, group);
        }
        skeleton.put(position, group);
    }

    /// reads what can be read, page by page
    private static void readAnyway(ArchiveFile file, long position, MemorySegment into) {
        for (long at = 0; at < into.byteSize() && position + at < file.size(); at += PAGE) {
            long size = Math.min(Math.min(PAGE, into.byteSize() - at), file.size() - position - at);
            try {
                file.readStored(position + at, into.asSlice(at, size));
            } catch (IOException e) {
                // stays zero
            }
        }
    }

    /// A frame, or what may be it.
    private record Piece(long position, List<MemorySegment> choices) {}

    private static int ways(List<Piece> pieces) {
        int ways = 1;
        for (Piece piece : pieces) {
            ways = Math.min(MOST_WAYS, ways * piece.choices.size());
        }
        return ways;
    }

    private static void put(List<Piece> pieces, int way, long position, MemorySegment group) {
        int rest = way;
        for (Piece piece : pieces) {
            MemorySegment bytes = piece.choices.get(rest % piece.choices.size());
            rest /= piece.choices.size();
            long from = Math.max(piece.position, position);
            long to = Math.min(piece.position + bytes.byteSize(), position + group.byteSize());
            MemorySegment.copy(bytes, from - piece.position, group, from - position, to - from);
        }
    }

    /// {@return the first rows of the data frames that reach into a part of the file}
    private List<Long> frameRows(long from, long to) throws IOException {
        List<Long> rows = new ArrayList<>();
        long last = -1;
        for (long row = tables.rowAfter(from); row < tables.nodes(); row++) {
            Node node = tables.node(row);
            if (node.frame().position() >= to) {
                break;
            }
            if (node.frame().size() > 0 && node.frame().position() != last && !(node.zero() && tables.full())) {
                last = node.frame().position();
                rows.add(row);
            }
        }
        return rows;
    }

    @Override
    public void close() throws IOException {
        for (ArchiveFile copy : copies.values()) {
            copy.close();
        }
    }
}
