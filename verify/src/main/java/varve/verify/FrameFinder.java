package varve.verify;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.codec.FrameDecoder;
import varve.archive.codec.FrameEncoder;
import varve.archive.file.ArchiveFile;
import varve.archive.file.Index;
import varve.archive.file.StoredArchive;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// Finds the data frames of one archive: in one of its copies, in an archive that it was moved to, or made again of the same content.
///
/// What a frame should hold is known from the tables. That a frame holds it is proved where it can be; a frame of a delta cannot
/// be proved while what it stands on is damaged too. A frame that is compressed again has to come out as it was, which it does
/// with the same level and the same zstd; the level is learned from frames that are whole. In the end it is the hash of the group that decides.
///
/// For one thread.
final class FrameFinder {

    private static final int MOST_CHOICES = 4;
    private static final int SAMPLES = 3;
    private static final int MOST_TRIES = 64;

    private final StoredArchive archive;
    private final Index tables;
    private final Geometry geometry;
    private final List<ArchiveFile> copies;
    private final Relatives relatives;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private @Nullable List<Integer> levels;

    /// Bytes that may be those of a frame.
    ///
    /// @param choices at least one
    /// @param from where they were found
    /// @param own whether a copy of the archive has them, so that they can be read there
    record Found(List<MemorySegment> choices, String from, boolean own) {}

    private enum Verdict {
        GOOD,
        MAYBE,
        BAD
    }

    FrameFinder(StoredArchive archive, Index tables, List<ArchiveFile> copies, Relatives relatives) {
        this.archive = archive;
        this.tables = tables;
        this.geometry = tables.geometry();
        this.copies = copies;
        this.relatives = relatives;
    }

    /// @param row of the first node of the frame
    /// @param arena that what is found lives in
    /// @return null if the frame is not to be had
    @Nullable Found find(long row, Arena arena) throws IOException {
        Node node = tables.node(row);
        List<MemorySegment> maybe = new ArrayList<>();
        Found own = own(row, maybe, arena);
        if (own != null) {
            return own;
        }
        Found[] twin = {null};
        MemorySegment room = arena.allocate(node.frame().size(), 8);
        relatives.twins(archive, node, room, (bytes, from) -> {
            Verdict verdict = prove(bytes, row);
            if (verdict == Verdict.MAYBE) {
                add(bytes, maybe, arena);
            }
            twin[0] = verdict == Verdict.GOOD ? new Found(List.of(bytes), from, false) : null;
            return verdict == Verdict.GOOD;
        });
        if (twin[0] != null) {
            return twin[0];
        }
        Set<String> sources = new LinkedHashSet<>();
        MemorySegment content = content(row, sources, arena);
        if (content != null) {
            for (int level : levels()) {
                byLevel(content, level, node.frame().size(), maybe, arena);
            }
        }
        return maybe.isEmpty() ? null : new Found(maybe, sources.isEmpty() ? "another copy" : String.join(", ", sources), false);
    }

    /// the frame as it lies in a copy of the archive, if that is proved
    private @Nullable Found own(long row, List<MemorySegment> maybe, Arena arena) throws IOException {
        Node.Frame frame = tables.node(row).frame();
        MemorySegment bytes = arena.allocate(frame.size(), 8);
        for (ArchiveFile copy : copies) {
            try {
                copy.readStored(frame.position(), bytes);
            } catch (IOException e) {
                continue; // cut off before, or not readable
            }
            switch (prove(bytes, row)) {
                case GOOD -> {
                    return new Found(List.of(bytes), copy.path().toString(), true);
                }
                case MAYBE -> add(bytes, maybe, arena);
                case BAD -> {}
            }
        }
        return null;
    }

    private static void add(MemorySegment bytes, List<MemorySegment> to, Arena arena) {
        if (to.size() < MOST_CHOICES && to.stream().noneMatch(known -> known.mismatch(bytes) < 0)) {
            to.add(arena.allocate(bytes.byteSize(), 8).copyFrom(bytes));
        }
    }

    private Verdict prove(MemorySegment bytes, long row) throws IOException {
        Node node = tables.node(row);
        Optional<Relatives.Opened> opened = tables.full() ? Optional.empty() : relatives.through(archive);
        try (Arena arena = Arena.ofConfined();
                FrameDecoder decoder = new FrameDecoder()) {
            MemorySegment content = arena.allocate(Math.max(node.frame().contentSize(), geometry.chunkSize()), 8);
            if (!decoder.decode(bytes, content.asSlice(0, node.frame().contentSize()))) {
                return Verdict.BAD;
            }
            if (tables.full()) {
                return hash(node.chunk(), content.asSlice(0, node.frame().contentSize())).equals(node.hash()) ? Verdict.GOOD : Verdict.BAD;
            }
            if (opened.isEmpty()) {
                return Verdict.MAYBE;
            }
            opened.get().reader().offer(opened.get().layer(), node.frame().position(), bytes);
            for (long r = row; r < tables.nodes() && !beyond(r, node); r++) {
                if (tables.node(r).frame().equals(node.frame())) {
                    long chunk = tables.node(r).chunk();
                    opened.get().reader().read(opened.get().layer(), chunk, content.asSlice(0, geometry.length(chunk, 1)));
                }
            }
            return Verdict.GOOD;
        } catch (IOException e) {
            return Verdict.MAYBE; // what it stands on may be to blame
        } finally {
            opened.ifPresent(o -> o.reader().offer(-1, 0, MemorySegment.NULL));
        }
    }

    /// whether a row comes after the last of a frame
    private boolean beyond(long row, Node first) throws IOException {
        Node.Frame frame = tables.node(row).frame();
        return frame.size() > 0 && !frame.equals(first.frame());
    }

    private Hash hash(long chunk, MemorySegment bytes) {
        return geometry.single() ? hasher.whole(bytes) : hasher.subtree(bytes, geometry.offset(chunk));
    }

    /// {@return what a frame should hold, out of other archives or the device, or null if a part of it is not to be had}
    private @Nullable MemorySegment content(long row, Set<String> sources, Arena arena) throws IOException {
        Node first = tables.node(row);
        MemorySegment content = arena.allocate(first.frame().contentSize(), 8);
        MemorySegment room = arena.allocate(geometry.chunkSize(), 4096);
        for (long r = row; r < tables.nodes() && !beyond(r, first); r++) {
            Node node = tables.node(r);
            if (!node.frame().equals(first.frame())) {
                continue; // a node without payload
            }
            MemorySegment chunk = room.asSlice(0, geometry.length(node.chunk(), 1));
            String from = relatives.chunk(archive, geometry, node.chunk(), node.hash(), chunk);
            if (from == null) {
                return null;
            }
            sources.add(from);
            payload(r, node, chunk, content);
        }
        return content;
    }

    private void payload(long row, Node node, MemorySegment chunk, MemorySegment content) throws IOException {
        if (tables.full()) {
            content.copyFrom(chunk);
            return;
        }
        long at = node.payloadAt();
        long end = tables.extentEnd(row);
        for (long e = node.extent(); e < end; e++) {
            Extent extent = tables.extent(e);
            if (extent.data()) {
                long size = geometry.blockLength(extent.first(), extent.count());
                long from = (extent.first() << Geometry.BLOCK_LOG) - geometry.offset(node.chunk());
                MemorySegment.copy(chunk, from, content, at, size);
                at += size;
            }
        }
    }

    private static void byLevel(MemorySegment content, int level, int size, List<MemorySegment> to, Arena arena) {
        try (Arena local = Arena.ofConfined();
                FrameEncoder encoder = new FrameEncoder(level)) {
            MemorySegment room = local.allocate(FrameEncoder.bound(content.byteSize()), 8);
            int found = encoder.encode(content, room);
            if (found == size) {
                add(room.asSlice(0, size), to, arena);
            }
        }
    }

    /// {@return the levels that made frames of this archive that are whole, or all, if there are no such frames}
    private List<Integer> levels() throws IOException {
        if (levels == null) {
            List<Integer> all = IntStream.concat(IntStream.concat(IntStream.of(3), IntStream.rangeClosed(1, 22)), IntStream.rangeClosed(-7, -1))
                    .distinct().boxed().toList();
            Set<Integer> seen = new LinkedHashSet<>();
            int samples = 0;
            int tries = 0;
            Node.Frame last = Node.Frame.NONE;
            for (long row = 0; row < tables.nodes() && samples < SAMPLES && tries < MOST_TRIES; row++) {
                Node node = tables.node(row);
                if (node.zero() || node.frame().size() == 0 || node.frame().equals(last)) {
                    continue;
                }
                last = node.frame();
                tries++;
                try (Arena arena = Arena.ofConfined()) {
                    Found found = own(row, new ArrayList<>(), arena);
                    if (found != null) {
                        samples++;
                        level(found.choices().getFirst(), node.frame(), seen, all);
                    }
                }
            }
            levels = samples == 0 ? all : List.copyOf(seen);
        }
        return levels;
    }

    private static void level(MemorySegment bytes, Node.Frame frame, Set<Integer> seen, List<Integer> all) {
        try (Arena arena = Arena.ofConfined();
                FrameDecoder decoder = new FrameDecoder()) {
            MemorySegment content = arena.allocate(frame.contentSize(), 8);
            decoder.decode(bytes, content);
            for (int level : Stream.concat(List.copyOf(seen).stream(), all.stream()).distinct().toList()) {
                List<MemorySegment> made = new ArrayList<>();
                byLevel(content, level, frame.size(), made, arena);
                if (!made.isEmpty() && made.getFirst().mismatch(bytes) < 0) {
                    seen.add(level);
                    return;
                }
            }
        }
    }
}
