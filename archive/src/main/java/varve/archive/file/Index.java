package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Header;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.State;
import varve.archive.format.Summary;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// The tables of one archive: which nodes it lists, what changed in them, and where their payload is.
///
/// The tables are mapped, not copied, and were checked against the manifest's hash and every rule of FORMAT.md section 5
/// that they can break by themselves before an `Index` exists. What remains for the reader of the content is
/// F010, F011 and F026, and for the chain F031.
///
/// Safe for use by several threads. Close it to unmap.
public final class Index implements AutoCloseable {

    /// rows that are looked at one by one before a search is worth it
    private static final int NEAR = 8;

    private final Arena arena;
    private final String where;
    private final MemorySegment bytes;
    private final Summary summary;
    private final Geometry geometry;
    private Seen seen = new Seen(0, 0, false);

    /// What the check of the tables saw.
    ///
    /// @param largestFrame of a data node, bytes in the file
    /// @param largestContent of such a frame, decompressed
    /// @param keepsZeros whether there are kept zero nodes
    record Seen(int largestFrame, int largestContent, boolean keepsZeros) {}

    private Index(Arena arena, String where, MemorySegment bytes, Summary summary) {
        this.arena = arena;
        this.where = where;
        this.bytes = bytes;
        this.summary = summary;
        this.geometry = summary.geometry();
    }

    /// Opens the index region of an archive, wherever it is at hand: an `.index` file, or inside of the data file.
    ///
    /// @param file that holds the region
    /// @param position of the region in it; 0 is that of an `.index` file, which holds nothing else
    /// @throws CorruptException if it is not what the manifest says, or breaks a rule
    /// @throws UnsupportedException if a later version wrote it
    /// @throws DeviceException if it cannot be read
    public static Index open(Path file, long position, Manifest manifest) throws IOException {
        return open(file, position, manifest, Optional.empty());
    }

    /// @param header of the data file, if that is where the region is
    static Index open(Path file, long position, Manifest manifest, Optional<Header> header) throws IOException {
        return open(file, position, manifest, header, position, file.getFileName().toString());
    }

    /// @param place of the region in the zstd file, if that is where `header` is from
    /// @param where name for messages
    static Index open(Path file, long position, Manifest manifest, Optional<Header> header, long place, String where) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = Folder.open(file)) {
            long size = manifest.index().size();
            long end = channel.size();
            if (end - position < size || (position == 0 && end != size)) {
                throw new CorruptException(Rule.F039, where, "expected " + size + " bytes at " + position + ", the file has " + end);
            }
            Mapped.probe(channel, file, position, size);
            MemorySegment bytes = Mapped.map(channel, file, position, size, arena);
            Hash found = new SubtreeHasher().whole(bytes);
            if (!found.equals(manifest.index().hash())) {
                throw new CorruptException(
                        Rule.F039, where, "expected " + manifest.index().hash() + ", found " + found);
            }
            Index index = new Index(arena, where, bytes, Summary.decode(bytes, where));
            index.checkPlace(place, header);
            index.checkManifest(manifest);
            index.seen = new IndexCheck(index, where).run();
            return index;
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    /// {@return the position of the first byte at which a file is no copy of the index region, or -1 if it is one}
    public long mismatch(Path copy) throws IOException {
        try (FileChannel channel = Folder.open(copy);
                Arena mapping = Arena.ofConfined()) {
            return Mapped.map(channel, copy, 0, channel.size(), mapping).mismatch(bytes);
        }
    }

    /// Copies the region.
    void copyTo(Sink sink) throws IOException {
        sink.append(bytes);
    }

    public Summary summary() {
        return summary;
    }

    public Header header() {
        return summary.header();
    }

    public Geometry geometry() {
        return geometry;
    }

    public State state() {
        return summary.state();
    }

    public boolean full() {
        return header().kind() == Kind.FULL;
    }

    /// {@return size of the largest frame of a data node in the file}
    public int largestFrame() {
        return seen.largestFrame();
    }

    /// {@return size of the largest content of such a frame}
    public int largestContent() {
        return seen.largestContent();
    }

    /// {@return whether a delta lists zero nodes as kept}
    public boolean keepsZeros() {
        return seen.keepsZeros();
    }

    /// {@return number of node rows}
    public long nodes() {
        return summary.nodes();
    }

    public Node node(long row) throws CorruptException {
        return Node.decode(bytes, summary.nodeRows() + row * Node.SIZE, where);
    }

    public Extent extent(long row) throws CorruptException {
        return Extent.decode(bytes, Summary.extentRows() + row * Extent.SIZE, where);
    }

    /// {@return the extent row after the last of the node in this row}
    public long extentEnd(long nodeRow) throws CorruptException {
        return nodeRow + 1 < nodes() ? node(nodeRow + 1).extent() : summary.extents();
    }

    /// {@return the first chunk of the node in a row}
    public long firstChunk(long row) {
        return Node.firstChunk(bytes, summary.nodeRows() + row * Node.SIZE);
    }

    /// {@return the chunk after the last of the node in a row}
    public long endChunk(long row) {
        return Node.endChunk(bytes, summary.nodeRows() + row * Node.SIZE);
    }

    /// {@return the row of the last node that begins at `chunk` or before, or -1}
    public long rowAtOrBefore(long chunk) {
        return rowAtOrBefore(chunk, 0);
    }

    /// {@return the row of the last node that begins at `chunk` or before, or `from - 1`}
    private long rowAtOrBefore(long chunk, long from) {
        long low = from;
        long high = nodes();
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (firstChunk(middle) <= chunk) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    /// {@return the row of the node that holds `chunk`, or -1 if the archive does not list it}
    public long find(long chunk) throws CorruptException {
        long row = rowAtOrBefore(chunk);
        return row >= 0 && chunk < endChunk(row) ? row : -1;
    }

    /// {@return the first row from `row` on whose node ends behind `chunk`, or the number of rows}
    public long rowEndingAfter(long chunk, long row) {
        long near = row;
        for (int step = 0; step < NEAR && near < nodes(); step++, near++) {
            if (endChunk(near) > chunk) {
                return near;
            }
        }
        if (near == nodes()) {
            return near;
        }
        long last = rowAtOrBefore(chunk, near);
        return last >= near && endChunk(last) > chunk ? last : last + 1;
    }

    /// {@return the first row whose frame ends behind a position in the data file, or the number of rows}
    public long rowAfter(long position) throws CorruptException {
        long low = 0;
        long high = nodes();
        while (low < high) { // rows without a frame go with the next that has one
            long middle = (low + high) >>> 1;
            long row = middle;
            while (row < high && node(row).frame().size() == 0) {
                row++;
            }
            if (row < high && node(row).frame().end() <= position) {
                low = row + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /// Copies a part of the index region.
    ///
    /// @param from position of its first byte in the region
    public void copy(long from, MemorySegment into) {
        into.copyFrom(bytes.asSlice(from, into.byteSize()));
    }

    private void checkPlace(long position, Optional<Header> header) throws CorruptException {
        if (header.isPresent() && !header.get().equals(header())) {
            throw new CorruptException(Rule.F028, where, "its header says otherwise");
        }
        if (header.isPresent() && summary.indexPosition() != position) {
            throw new CorruptException(Rule.F029, where, "the index region is at " + position + ", the summary says " + summary.indexPosition());
        }
    }

    private void checkManifest(Manifest m) throws CorruptException {
        Header header = header();
        boolean same = m.kind() == header.kind()
                && m.volumeId().equals(header.volumeId())
                && m.chunkLog() == header.chunkLog()
                && m.parent().equals(header.parent())
                && m.state().equals(state())
                && m.payloadSize() == summary.payloadSize()
                && m.changedSize() == changedSize();
        if (!same) {
            throw new CorruptException(
                    Rule.F037, where, "expected " + m.kind().word() + " of " + m.state() + ", found " + header.kind().word() + " of " + state());
        }
    }

    /// {@return bytes of the device in this archive: all of them, or the sum of the extents}
    public long changedSize() throws CorruptException {
        if (full()) {
            return state().size();
        }
        long sum = 0;
        for (long row = 0; row < summary.extents(); row++) {
            Extent extent = extent(row);
            sum += geometry.blockLength(extent.first(), extent.count());
        }
        return sum;
    }

    @Override
    public void close() {
        arena.close();
    }
}
