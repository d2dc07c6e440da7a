package varve.verify.source;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.Feed;
import varve.archive.block.Geometry;
import varve.archive.block.Zeros;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.Hashing;
import varve.archive.hash.SubtreeHasher;
import varve.archive.linux.LargePages;
import varve.verify.work.Crew;

/// Computes the root of a device, an image or a stream, and on the way the hashes of its nodes, as an archive of it would
/// have them. Each byte is read once, holes not at all.
public final class SourceHasher {

    private final int chunkLog;
    private final int threads;
    private final LongConsumer progress;

    /// @param chunkLog chunk size as a power of two
    /// @param threads that read and hash
    /// @param progress gets the bytes of the device that are done, as they are
    public SourceHasher(int chunkLog, int threads, LongConsumer progress) {
        this.chunkLog = chunkLog;
        this.threads = threads;
        this.progress = progress;
    }

    /// Hashes a device or an image.
    ///
    /// @param nodes gets the nodes, in order
    public State hash(BlockSource source, HashList.Taker nodes) throws IOException {
        return hash(Feed.of(source, chunkLog), nodes);
    }

    /// Hashes a stream of unknown size.
    public State hash(InputStream stream, HashList.Taker nodes) throws IOException {
        return hash(Feed.of(stream, "stdin", chunkLog), nodes);
    }

    private State hash(Feed feed, HashList.Taker nodes) throws IOException {
        Hashing.warmUp(feed.knownSize());
        try (feed;
                Arena arena = Arena.ofShared();
                Crew<Bench> crew = new Crew<>(threads, Bench::new)) {
            Root root = new Root();
            NodeCutter cutter = new NodeCutter(chunkLog, entry -> {
                root.add(entry.hash(), entry.size());
                nodes.take(entry);
            });
            crew.run(new Pieces(feed, new LargePages(arena), crew.flights()), (bench, piece) -> look(feed, piece, bench), seen -> {
                for (HashList.Entry entry : seen) {
                    cutter.take(entry, feed.knownSize());
                    progress.accept(entry.size());
                }
            });
            feed.checkEnd();
            cutter.finish(feed.knownSize());
            return new State(root.value(), feed.knownSize());
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /// A piece of the device and memory for its bytes.
    ///
    /// @param bytes empty for a hole
    /// @param single whether the device has but one chunk
    private record Piece(Feed.Piece piece, MemorySegment bytes, boolean single) {}

    /// The pieces of a device; long holes in parts that are subtrees.
    private final class Pieces implements Iterator<Piece> {
        private final Feed feed;
        private final List<MemorySegment> slots = new ArrayList<>();
        private int slot;
        private Feed.@Nullable Piece ahead;

        /// @param flights how many pieces are on their way at most: then memory is free again
        Pieces(Feed feed, SegmentAllocator memory, int flights) {
            this.feed = feed;
            for (int i = 0; i <= flights; i++) {
                slots.add(memory.allocate(feed.unit(), 4096));
            }
            advance();
        }

        @Override
        public boolean hasNext() {
            return ahead != null;
        }

        @Override
        public Piece next() {
            Feed.Piece piece = ahead;
            boolean single = new Geometry(feed.knownSize(), chunkLog).single();
            if (!piece.hole()) {
                MemorySegment bytes = slots.get(slot).asSlice(0, piece.size());
                slot = (slot + 1) % slots.size();
                advance();
                return new Piece(piece, bytes, single);
            }
            Geometry geometry = new Geometry(feed.knownSize(), chunkLog);
            long chunk = piece.offset() >>> chunkLog;
            long end = (piece.offset() + piece.size() + geometry.chunkSize() - 1) >>> chunkLog;
            long size = geometry.length(chunk, geometry.zeroNode(chunk, end));
            if (size < piece.size()) {
                ahead = new Feed.Piece(piece.offset() + size, piece.size() - size, Feed.Kind.HOLE);
            } else {
                advance();
            }
            return new Piece(new Feed.Piece(piece.offset(), size, Feed.Kind.HOLE), MemorySegment.NULL, single);
        }

        private void advance() {
            try {
                ahead = feed.next(slots.get(slot));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private List<HashList.Entry> look(Feed feed, Piece piece, Bench bench) throws IOException {
        long offset = piece.piece.offset();
        long size = piece.piece.size();
        if (piece.piece.hole()) {
            Hash hash = piece.single ? bench.hasher.whole(Arena.ofAuto().allocate(size, 8)) : bench.hasher.zeros(offset, size);
            return List.of(new HashList.Entry(offset, size, hash, true));
        }
        feed.load(piece.piece, piece.bytes);
        List<HashList.Entry> entries = new ArrayList<>();
        for (long done = 0; done < size; done += feed.chunkSize()) {
            MemorySegment bytes = piece.bytes.asSlice(done, Math.min(feed.chunkSize(), size - done));
            Hash hash = piece.single ? bench.hasher.whole(bytes) : bench.hasher.subtree(bytes, offset + done);
            entries.add(new HashList.Entry(offset + done, bytes.byteSize(), hash, Zeros.only(bytes)));
        }
        return entries;
    }

    private static final class Bench implements Crew.Bench {
        final SubtreeHasher hasher = new SubtreeHasher();

        @Override
        public void close() {}
    }
}
