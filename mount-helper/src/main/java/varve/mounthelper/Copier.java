package varve.mounthelper;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;
import varve.archive.block.Zeros;
import varve.archive.chain.Chain;
import varve.archive.format.Node;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.linux.LargePages;
import varve.mounthelper.Stretches.Stretch;

/// Brings stretches of the target to what the image has there, and proves them: the work of one thread.
///
/// **Bringing.** A run needs no memory of the one before it that was interrupted: what a data chunk's hash matches is done. So a
/// stretch begins in comparing mode, and stays in it while chunks match; after [#PATIENCE] chunks in a row that do not, the
/// rest of the stretch is written without looking (in place, everything is compared). Where the image is zero the
/// target is made to read as zeros, unless it does: looking is needed anyway to know it, and cheaper than writing.
///
/// **Proving.** When a stretch is done it is flushed, and every chunk that was written is read back past the page cache
/// and hashed. The chunks that were not written have been read and hashed, or found to be zero, in the same run. So each
/// node of the image is known to have its hash on the medium, and that the nodes' hashes combine to the root is known
/// since the chain was opened. Reading back stretch by stretch and not all at the end leaves one gap: a medium on which
/// a later write destroys an earlier one, such as a flash drive that claims more than it has. [#sample] is for that.
///
/// **Salvaging.** A chunk that is not to be had is left out, if the [Supply] allows that: it reads as zeros then, and is proved to.
///
/// Not thread-safe. Close it.
final class Copier implements AutoCloseable {

    private static final int PATIENCE = 64;
    private static final long UNIT = 2 << 20;

    private final Chain chain;
    private final Geometry geometry;
    private final Target target;
    private final boolean inPlace;
    private final Tally tally;
    private final LongConsumer progress;
    private final Supply supply;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer;
    private final int unit; // chunks that the buffer holds

    // of the stretch at hand
    private final BitSet written = new BitSet(); // chunks, counted from its first
    private long first;
    private int misses;

    /// @param chain that says what the image holds
    /// @param supply of its chunks; closed with this
    Copier(Chain chain, Supply supply, Target target, boolean inPlace, Tally tally, LongConsumer progress) {
        this.chain = chain;
        this.supply = supply;
        this.geometry = chain.geometry();
        this.target = target;
        this.inPlace = inPlace;
        this.tally = tally;
        this.progress = progress;
        this.unit = (int) Math.max(1, UNIT >>> geometry.chunkLog());
        this.buffer = new LargePages(arena).allocate((long) unit << geometry.chunkLog(), Medium.PAGE);
    }

    /// Works on stretches until there are none left.
    ///
    /// @param proved takes those that are there
    void work(Stretches stretches, Consumer<Stretch> proved) throws IOException {
        for (Stretch stretch = stretches.next(); stretch != null && !stretches.stopped(); stretch = stretches.next()) {
            bring(stretch, stretches);
            prove();
            if (!stretches.stopped()) {
                proved.accept(stretch);
            }
        }
    }

    private void bring(Stretch stretch, Stretches stretches) throws IOException {
        first = stretch.first();
        misses = 0;
        written.clear();
        for (long chunk = first; chunk < stretch.end() && !stretches.stopped(); ) {
            Node node = node(chunk);
            long most = Math.min(stretch.end(), chunk + unit);
            long end;
            if (node.zero()) {
                end = Math.min(stretch.end(), node.end());
                bringZeros(chunk, end);
            } else {
                for (end = chunk + 1; end < most && !node(end).zero(); end++) {}
                bringData(chunk, end);
            }
            chunk = end;
        }
    }

    private Node node(long chunk) throws IOException {
        return chain.find(chunk).node();
    }

    // ---- data

    private void bringData(long from, long end) throws IOException {
        long size = geometry.length(from, end - from);
        boolean blank = target.blank(geometry.offset(from), size);
        boolean filled = false; // whether the buffer holds what the target does
        long dirty = -1; // the first chunk of a run that is to be written
        for (long chunk = from; chunk < end; chunk++) {
            boolean compare = !blank && (inPlace || misses < PATIENCE);
            if (compare && !filled) {
                target.medium().read(geometry.offset(from), size, buffer);
                filled = true;
            }
            MemorySegment bytes = bytes(from, chunk);
            if (compare && hash(chunk, bytes).equals(node(chunk).hash())) {
                misses = 0;
                tally.kept.add(bytes.byteSize());
                write(from, dirty, chunk, blank);
                dirty = -1;
            } else {
                misses++;
                if (supply.read(chunk, bytes)) {
                    dirty = dirty < 0 ? chunk : dirty;
                } else {
                    write(from, dirty, chunk, blank);
                    dirty = -1;
                    leaveOut(chunk, bytes.byteSize(), blank);
                }
            }
        }
        write(from, dirty, end, blank);
        progress.accept(size);
    }

    /// makes a chunk that is missing read as zeros
    private void leaveOut(long chunk, long size, boolean blank) throws IOException {
        if (!blank) {
            target.zero(geometry.offset(chunk), size);
        }
        tally.missing.add(size);
        written.set((int) (chunk - first));
    }

    /// {@return where in the buffer a chunk of the unit that begins with `from` is}
    private MemorySegment bytes(long from, long chunk) {
        return buffer.asSlice(geometry.offset(chunk - from), geometry.length(chunk, 1));
    }

    private Hash hash(long chunk, MemorySegment bytes) {
        return geometry.single() ? hasher.whole(bytes) : hasher.subtree(bytes, geometry.offset(chunk));
    }

    /// writes the chunks from `dirty` on, if there are any, of the unit that begins with `from`
    private void write(long from, long dirty, long end, boolean blank) throws IOException {
        if (dirty < 0) {
            return;
        }
        long size = geometry.length(dirty, end - dirty);
        MemorySegment bytes = buffer.asSlice(geometry.offset(dirty - from), size);
        if (target.sparse()) {
            writeSparse(geometry.offset(dirty), bytes, blank);
        } else {
            target.medium().write(geometry.offset(dirty), bytes);
        }
        tally.written.add(size);
        written.set((int) (dirty - first), (int) (end - first));
    }

    /// leaves holes where blocks are zero
    private void writeSparse(long offset, MemorySegment bytes, boolean blank) throws IOException {
        long size = bytes.byteSize();
        for (long at = 0; at < size; ) {
            long start = at;
            boolean zero = zeroBlock(bytes, at);
            do {
                at = Math.min(size, at + Geometry.BLOCK_SIZE);
            } while (at < size && zeroBlock(bytes, at) == zero);
            if (!zero) {
                target.medium().write(offset + start, bytes.asSlice(start, at - start));
            } else if (!blank) {
                target.zero(offset + start, at - start);
            }
        }
    }

    private static boolean zeroBlock(MemorySegment bytes, long at) {
        return bytes.get(ValueLayout.JAVA_BYTE, at) == 0
                && Zeros.only(bytes.asSlice(at, Math.min(Geometry.BLOCK_SIZE, bytes.byteSize() - at)));
    }

    // ---- zeros

    private void bringZeros(long from, long end) throws IOException {
        tally.zero.add(geometry.length(from, end - from));
        if (target.blank(geometry.offset(from), geometry.length(from, end - from))) {
            return;
        }
        for (long chunk = from; chunk < end; chunk += unit) {
            long next = Math.min(end, chunk + unit);
            if (!readsZero(chunk, next)) {
                target.zero(geometry.offset(chunk), geometry.length(chunk, next - chunk));
                tally.cleared.add(geometry.length(chunk, next - chunk));
                written.set((int) (chunk - first), (int) (next - first));
            }
            if (!target.sparse()) {
                progress.accept(geometry.length(chunk, next - chunk));
            }
        }
    }

    private boolean readsZero(long from, long end) throws IOException {
        long offset = geometry.offset(from);
        long size = geometry.length(from, end - from);
        if (target.blank(offset, size)) {
            return true;
        }
        target.medium().read(offset, size, buffer);
        return Zeros.only(buffer.asSlice(0, size));
    }

    // ---- proof

    private void prove() throws IOException {
        int from = written.nextSetBit(0);
        if (from < 0) {
            return;
        }
        long offset = geometry.offset(first + from);
        target.medium().flush(offset, geometry.offset(first + written.length()) - offset);
        while (from >= 0) {
            int end = Math.min(written.nextClearBit(from), from + unit);
            prove(first + from, first + end);
            from = written.nextSetBit(end);
        }
    }

    /// Reads back chunks, at most a unit of them, and compares their hashes with the image's.
    ///
    /// @throws DeviceException if the target does not hold what was written
    private void prove(long from, long end) throws IOException {
        target.medium().read(geometry.offset(from), geometry.length(from, end - from), buffer);
        for (long chunk = from; chunk < end; chunk++) {
            MemorySegment bytes = bytes(from, chunk);
            Node node = node(chunk);
            // hashes of zeros are never computed: FORMAT.md section 3
            boolean zeros = node.zero() || supply.misses(chunk);
            boolean right = zeros ? Zeros.only(bytes) : hash(chunk, bytes).equals(node.hash());
            if (!right) {
                throw new DeviceException(target.name() + ": chunk " + chunk + " at " + geometry.offset(chunk)
                        + " does not read back as it was written: "
                        + (zeros ? "expected zeros" : "expected " + node.hash() + ", found " + hash(chunk, bytes))
                        + "; the medium or the path to it is faulty");
            }
        }
    }

    /// Reads back some chunks from all over the target once more, after everything was written.
    void sample(int count) throws IOException {
        long step = Math.max(1, geometry.chunks() / count);
        for (long chunk = 0; chunk < geometry.chunks(); chunk += step) {
            prove(chunk, chunk + 1);
        }
    }

    @Override
    public void close() {
        supply.close();
        arena.close();
    }
}
