package varve.archive;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import varve.archive.block.BlockSource;
import varve.archive.block.Geometry;
import varve.archive.block.Zeros;
import varve.archive.chain.ChainReader;
import varve.archive.format.Node;
import varve.archive.hash.SubtreeHasher;

/// A look at what a change list calls unchanged: chunks drawn at random, and a stripe of the device that moves on from run to run.
/// They are read from the source and compared with the parent's hashes; of a chunk that the list touches, the blocks that
/// it does not name are compared with the parent's content, if that is at hand.
///
/// What the draw proves: if a share `p` of the chunks held a change that the list keeps back, `n` chunks drawn without looking
/// would miss all of them with a probability of at most `(1 - p)^n`. What the stripe proves needs no probability: the chunks of
/// it are as the parent says.
final class ListAudit {

    private final BlockSource source;
    private final Unlisted unlisted;
    private final ParentView parent;
    private final Geometry geometry;
    private final SubtreeHasher hasher = new SubtreeHasher();
    private long read;

    /// What was looked at.
    ///
    /// @param drawn chunks drawn at random
    /// @param striped chunks of the stripe
    /// @param readSize bytes read from the source for it
    /// @param wrong offset of the first block that differs from the parent, although the list calls it unchanged
    record Result(long drawn, long striped, long readSize, OptionalLong wrong) {

        /// {@return the share of chunks with changes kept back that would have been found with a probability of 99 %}
        double undetected() {
            return drawn == 0 ? 1 : 1 - Math.pow(0.01, 1.0 / drawn);
        }
    }

    ListAudit(BlockSource source, Unlisted unlisted, ParentView parent) {
        this.source = source;
        this.unlisted = unlisted;
        this.parent = parent;
        this.geometry = new Geometry(source.size(), parent.geometry().chunkLog());
    }

    /// Audits.
    ///
    /// @param draws chunks to draw
    /// @param from first chunk of the stripe
    /// @param end of the stripe
    Result run(long draws, RandomGenerator random, long from, long end) throws IOException {
        long chunks = (unlisted.end() + geometry.chunkSize() - 1) >>> geometry.chunkLog();
        long drawn = Math.min(draws, chunks);
        try (Arena arena = Arena.ofConfined();
                ChainReader reader = parent.reader()) {
            MemorySegment bytes = arena.allocate(geometry.chunkSize(), 4096);
            MemorySegment old = arena.allocate(geometry.chunkSize(), 4096);
            // the draws in order: one of each of as many equal parts, so that a disk goes one way and none is drawn twice
            long next = from;
            for (long i = 0; i < drawn; i++) {
                long low = part(i, chunks, drawn);
                long chunk = random.nextLong(low, part(i + 1, chunks, drawn));
                for (; next < Math.min(end, chunk); next++) {
                    OptionalLong wrong = look(next, bytes, old, reader);
                    if (wrong.isPresent()) {
                        return new Result(i, next - from, read, wrong);
                    }
                }
                OptionalLong wrong = chunk >= from && chunk < next ? OptionalLong.empty() : look(chunk, bytes, old, reader);
                if (wrong.isPresent()) {
                    return new Result(i + 1, next - from, read, wrong);
                }
            }
            for (; next < end; next++) {
                OptionalLong wrong = look(next, bytes, old, reader);
                if (wrong.isPresent()) {
                    return new Result(drawn, next - from, read, wrong);
                }
            }
            return new Result(drawn, Math.max(0, end - from), read, OptionalLong.empty());
        }
    }

    /// {@return where part `i` of `parts` begins}
    private static long part(long i, long chunks, long parts) {
        return i * (chunks / parts) + Math.min(i, chunks % parts);
    }

    /// {@return the offset of the first block of a chunk that the list is wrong about}
    private OptionalLong look(long chunk, MemorySegment room, MemorySegment oldRoom, ChainReader reader) throws IOException {
        long offset = geometry.offset(chunk);
        long length = geometry.length(chunk, 1);
        if (unlisted.list().unlistedFrom(offset) >= offset + length) {
            return OptionalLong.empty(); // all of it is listed, and will be read
        }
        boolean whole = unlisted.has(chunk);
        MemorySegment old = oldRoom.asSlice(0, length);
        if (!whole && !parent.read(reader, chunk, old)) {
            return OptionalLong.empty(); // all of it will be read, since the parent's content is away
        }
        MemorySegment bytes = room.asSlice(0, length);
        source.read(offset, bytes);
        read += length;
        if (!whole) {
            return differing(offset, bytes, old);
        }
        Node node = parent.node(chunk, length);
        boolean same = node.zero()
                ? Zeros.only(bytes)
                : node.hash().equals(geometry.single() ? hasher.whole(bytes) : hasher.subtree(bytes, offset));
        if (same) {
            return OptionalLong.empty();
        }
        return parent.read(reader, chunk, old) ? differing(offset, bytes, old) : OptionalLong.of(offset);
    }

    private OptionalLong differing(long offset, MemorySegment bytes, MemorySegment old) {
        long end = offset + bytes.byteSize();
        for (long at = unlisted.list().unlistedFrom(offset); at < end; ) {
            long until = Math.min(end, unlisted.list().listedFrom(at));
            long mismatch = bytes.asSlice(at - offset, until - at).mismatch(old.asSlice(at - offset, until - at));
            if (mismatch >= 0) {
                return OptionalLong.of(at + mismatch & -Geometry.BLOCK_SIZE);
            }
            at = unlisted.list().unlistedFrom(until);
        }
        return OptionalLong.empty();
    }
}
