package varve.archive;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
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
    private final ArchiveOptions options;
    private final Throttle throttle;
    private final LongAdder read = new LongAdder();

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

    /// @param options threads, rate and priority of reading
    ListAudit(BlockSource source, Unlisted unlisted, ParentView parent, ArchiveOptions options) {
        this.source = source;
        this.unlisted = unlisted;
        this.parent = parent;
        this.geometry = new Geometry(source.size(), parent.geometry().chunkLog());
        this.options = options;
        this.throttle = new Throttle(options.bytesPerSecond());
    }

    /// Audits.
    ///
    /// @param draws chunks to draw
    /// @param from first chunk of the stripe
    /// @param end of the stripe
    Result run(long draws, RandomGenerator random, long from, long end) throws IOException {
        Course course = new Course(draw(draws, random), from, end);
        try (Workers<Looker> workers = new Workers<>(options.threadsOfList(), options.idle(), Looker::new)) {
            List<Future<?>> looking = new ArrayList<>();
            for (int i = 0; i < workers.threads(); i++) {
                looking.add(workers.submit(looker -> {
                    looker.follow(course);
                    return null;
                }));
            }
            try {
                for (Future<?> one : looking) {
                    Workers.result(one);
                }
            } finally {
                course.stop();
            }
        }
        return course.result(read.sum());
    }

    /// {@return chunks in order, one of each of as many equal parts, so that a disk goes one way and none is drawn twice}
    private long[] draw(long draws, RandomGenerator random) {
        long chunks = (unlisted.end() + geometry.chunkSize() - 1) >>> geometry.chunkLog();
        long[] drawn = new long[Math.toIntExact(Math.min(draws, chunks))];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = random.nextLong(part(i, chunks, drawn.length), part(i + 1, chunks, drawn.length));
        }
        return drawn;
    }

    /// {@return where part `i` of `parts` begins}
    private static long part(long i, long chunks, long parts) {
        return i * (chunks / parts) + Math.min(i, chunks % parts);
    }

    /// What is to be looked at, in order, by several threads.
    private static final class Course {
        private final long[] drawn;
        private final long from;
        private final long end;
        private int nextDrawn;
        private long nextStriped;
        private boolean over;
        private long wrongChunk = Long.MAX_VALUE;
        private OptionalLong wrong = OptionalLong.empty();

        Course(long[] drawn, long from, long end) {
            this.drawn = drawn;
            this.from = from;
            this.end = end;
            this.nextStriped = from;
        }

        /// {@return a chunk, or -1 if there is no more to look at}
        synchronized long next() {
            if (over) {
                return -1;
            }
            while (nextDrawn < drawn.length && drawn[nextDrawn] >= from && drawn[nextDrawn] < nextStriped) {
                nextDrawn++; // the stripe has it
            }
            boolean striped = nextStriped < end && (nextDrawn == drawn.length || nextStriped <= drawn[nextDrawn]);
            if (striped) {
                return nextStriped++;
            }
            return nextDrawn < drawn.length ? drawn[nextDrawn++] : -1;
        }

        /// Remembers the first of what is wrong: who looks at an earlier chunk may find it later.
        synchronized void wrong(long chunk, long offset) {
            over = true;
            if (chunk < wrongChunk) {
                wrongChunk = chunk;
                wrong = OptionalLong.of(offset);
            }
        }

        synchronized void stop() {
            over = true;
        }

        synchronized Result result(long read) {
            return new Result(wrong.isPresent() ? nextDrawn : drawn.length, nextStriped - from, read, wrong);
        }
    }

    /// What one thread compares with.
    private final class Looker implements Workers.Tool {
        private final Arena arena = Arena.ofShared();
        private final MemorySegment room = arena.allocate(geometry.chunkSize(), 4096);
        private final MemorySegment oldRoom = arena.allocate(geometry.chunkSize(), 4096);
        private final SubtreeHasher hasher = new SubtreeHasher();
        private final ChainReader reader = parent.reader();

        /// Looks at one chunk after another, as long as nothing wrong was found.
        void follow(Course course) throws IOException {
            try {
                for (long chunk = course.next(); chunk >= 0; chunk = course.next()) {
                    OptionalLong wrong = look(chunk);
                    if (wrong.isPresent()) {
                        course.wrong(chunk, wrong.getAsLong());
                    }
                }
            } catch (Throwable e) {
                course.stop(); // so that who waits for the others hears of it
                throw e;
            }
        }

        /// {@return the offset of the first block of a chunk that the list is wrong about}
        OptionalLong look(long chunk) throws IOException {
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
            throttle.take(length);
            source.read(offset, bytes);
            read.add(length);
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

        @Override
        public void close() {
            reader.close();
            arena.close();
        }
    }
}
