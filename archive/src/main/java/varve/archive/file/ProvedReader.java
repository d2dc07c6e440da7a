package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.LinkedHashMap;
import java.util.Map;
import varve.archive.format.FileTree;
import varve.archive.hash.SubtreeHasher;
import varve.archive.linux.LargePages;

/// Reads parts of some [ProvedFile]s, and keeps the last few groups, since frames that follow each other share them.
///
/// For one thread. Working memory is those groups. Close it; the files stay open.
public final class ProvedReader implements AutoCloseable {

    private final Arena arena = Arena.ofShared();
    private final SegmentAllocator memory = new LargePages(arena);
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final int mostGroups;
    private final Map<Key, Kept> groups = new LinkedHashMap<>(16, 0.75f, true);

    private record Key(ProvedFile file, long group) {}

    private record Kept(MemorySegment room, MemorySegment bytes) {}

    /// @param mostGroups that are kept, 1 MiB each
    public ProvedReader(int mostGroups) {
        this.mostGroups = mostGroups;
    }

    /// Fills `into` from a position of the zstd file on.
    public void read(ProvedFile file, long position, MemorySegment into) throws IOException {
        if (file.sealed().isPresent()) {
            Sealed.read(file.sealed().get(), file.name(), position, into, (at, bytes) -> readStored(file, at, bytes));
        } else {
            readStored(file, position, into);
        }
    }

    /// Fills `into` from a position of the data file on, as it is stored.
    void readStored(ProvedFile file, long position, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long at = position + done;
            MemorySegment group = group(file, at >>> FileTree.GROUP_LOG);
            long from = at & (ProvedFile.GROUP_SIZE - 1);
            long part = Math.min(group.byteSize() - from, into.byteSize() - done);
            MemorySegment.copy(group, from, into, done, part);
            done += part;
        }
    }

    private MemorySegment group(ProvedFile file, long group) throws IOException {
        Key key = new Key(file, group);
        Kept kept = groups.get(key);
        if (kept == null) {
            MemorySegment room = groups.size() < mostGroups
                    ? memory.allocate(ProvedFile.GROUP_SIZE, 4096)
                    : groups.remove(groups.keySet().iterator().next()).room;
            kept = new Kept(room, file.read(group, room, hasher));
            groups.put(key, kept);
        }
        return kept.bytes;
    }

    @Override
    public void close() {
        arena.close();
    }
}
