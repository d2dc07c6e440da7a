package varve.archive;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.DeviceException;
import varve.archive.block.Geometry;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainReader;
import varve.archive.chain.Fold;
import varve.archive.file.Hints;
import varve.archive.file.ProvedReader;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.hash.Hash;
import varve.archive.seal.WrongKeyException;

/// What one worker of a consolidation does: read frames of other archives and prove them, decode them, prove what was put
/// together of them, and compress that.
///
/// For one thread at a time; the owner lends it out.
final class Repacker extends Press {

    /// groups of data files that all workers together keep
    private static final int GROUPS = 32;

    private final Chain chain;
    private final int first;
    private final Geometry geometry;
    private final SourceFiles files;
    private final ProvedReader reader;
    private final MemorySegment compressed;
    private final Proofs proofs;
    private @Nullable ChainReader below;

    /// What was proved of the content of packed chunks, by all workers together.
    ///
    /// A chunk that is packed as a whole is hashed; to hash another, the blocks that it shares with the state below are read there.
    static final class Proofs {
        private final AtomicBoolean belowAtHand;
        private final Consumer<String> warnings;
        private final LongAdder proved = new LongAdder();
        private final LongAdder open = new LongAdder();

        /// @param belowAtHand whether the data of the state below can be read
        Proofs(boolean belowAtHand, Consumer<String> warnings) {
            this.belowAtHand = new AtomicBoolean(belowAtHand);
            this.warnings = warnings;
        }

        /// {@return chunks whose content was hashed}
        long proved() {
            return proved.sum();
        }

        /// {@return chunks of which only the pieces were proved}
        long open() {
            return open.sum();
        }

        private void unreadable(IOException e) {
            if (belowAtHand.compareAndSet(true, false)) {
                warnings.accept("packed chunks are not hashed as a whole, for the archives below cannot be read: " + e.getMessage());
            }
        }
    }

    /// @param first the oldest layer that is folded
    /// @param threads that share what memory there is
    Repacker(
            Chain chain,
            int first,
            SourceFiles files,
            Proofs proofs,
            int threads,
            Hints hints,
            int level,
            LongAdder reused) {
        super(hints, level, Recorder.largestContent(chain.geometry().chunkLog()), Recorder.largestContent(chain.geometry().chunkLog()), reused);
        this.chain = chain;
        this.first = first;
        this.geometry = chain.geometry();
        this.files = files;
        this.proofs = proofs;
        this.reader = new ProvedReader(Math.max(2, GROUPS / threads));
        int largest = IntStream.range(first, chain.length()).map(layer -> chain.index(layer).largestFrame()).max().orElse(0);
        this.compressed = memory.allocate(Math.max(1, largest), 4096);
    }

    /// {@return the proved bytes of a frame, in `room`}
    MemorySegment read(int layer, Node.Frame frame, MemorySegment room) throws IOException {
        MemorySegment bytes = room.asSlice(0, frame.size());
        reader.read(files.of(layer), frame.position(), bytes);
        return bytes;
    }

    /// {@return the content of a frame, in `room`}
    MemorySegment decode(int layer, Node.Frame frame, MemorySegment room) throws IOException {
        MemorySegment bytes = read(layer, frame, compressed);
        MemorySegment content = room.asSlice(0, frame.contentSize());
        if (!decoder.decode(bytes, content)) {
            throw new CorruptException(
                    Rule.F010, chain.archive(layer).data().getFileName().toString(),
                    "frame of " + frame.size() + " bytes at position " + frame.position());
        }
        return content;
    }

    /// The archives that this is made of may go, and then nothing else has these bytes: so what was compressed is decoded once more.
    @Override
    MemorySegment compress(long firstChunk, MemorySegment payload, MemorySegment frameRoom) throws IOException {
        MemorySegment frame = super.compress(firstChunk, payload, frameRoom);
        requireContent(firstChunk, frame, payload);
        return frame;
    }

    /// Proves a chunk of a full, and compresses it.
    ///
    /// @return the frame, in `room`
    MemorySegment pack(Fold.Data data, MemorySegment content, MemorySegment room) throws IOException {
        check(data, content);
        return compress(data.chunk(), content, room);
    }

    /// Proves the payload of a chunk of a delta, as far as that can be done.
    @Nullable Void prove(Fold.Data data, MemorySegment payload) throws IOException {
        long length = geometry.length(data.chunk(), 1);
        if (payload.byteSize() == length) {
            check(data, payload);
            return null;
        }
        MemorySegment content = decoded.asSlice(0, length);
        long extents = 0;
        for (Extent extent : data.extents()) {
            extents += geometry.blockLength(extent.first(), extent.count());
        }
        if (extents < length && !readBelow(data.chunk(), length)) {
            proofs.open.increment();
            return null;
        }
        long done = 0;
        for (Extent extent : data.extents()) {
            long size = geometry.blockLength(extent.first(), extent.count());
            MemorySegment part = content.asSlice((extent.first() << Geometry.BLOCK_LOG) - geometry.offset(data.chunk()), size);
            if (extent.data()) {
                part.copyFrom(payload.asSlice(done, size));
                done += size;
            } else {
                part.fill((byte) 0);
            }
        }
        check(data, content);
        return null;
    }

    /// what of the chunk is not in the extents has the same length below
    private boolean readBelow(long chunk, long length) throws IOException {
        if (!proofs.belowAtHand.get()) {
            return false;
        }
        if (below == null) {
            below = new ChainReader(chain);
        }
        long old = chain.index(first - 1).geometry().length(chunk, 1);
        try {
            below.read(first - 1, chunk, decoded.asSlice(0, old));
            return true;
        } catch (BrokenChainException | CorruptException | DeviceException | WrongKeyException e) {
            proofs.unreadable(e);
            return false;
        }
    }

    private void check(Fold.Data data, MemorySegment content) throws CorruptException {
        long offset = geometry.offset(data.chunk());
        Hash found = geometry.single() ? hasher.whole(content) : hasher.subtree(content, offset);
        if (!found.equals(data.hash())) {
            throw new CorruptException(
                    Rule.F026, chain.archive(chain.find(data.chunk()).layer()).data().getFileName() + ": chunk " + data.chunk() + " at " + offset,
                    "expected " + data.hash() + ", found " + found);
        }
        proofs.proved.increment();
    }

    @Override
    public void close() {
        if (below != null) {
            below.close();
        }
        reader.close();
        super.close();
    }
}
