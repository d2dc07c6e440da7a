package varve.archive;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.Feed;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.changes.ChangeList;
import varve.archive.file.ArchiveOutput;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.Hints;
import varve.archive.file.StoredArchive;
import varve.archive.file.Tally;
import varve.archive.format.Extent;
import varve.archive.format.Header;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.State;
import varve.archive.format.Version;
import varve.archive.hash.Hash;
import varve.archive.hash.Hashing;
import varve.archive.linux.LargePages;
import varve.archive.file.Signer;
import varve.archive.vault.Signatures;
import varve.archive.sign.SecretKey;
import varve.archive.seal.Recipient;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeDigest;
import varve.archive.vault.VolumeLock;
import varve.archive.vault.VolumeSettings;

/// Records a device as it is now: a full if the volume is new, else a delta to the latest point in time.
///
/// The leading thread hands pieces of the device to workers and takes what they saw in order ([Scan], [Recorder]); the
/// archive is staged, proved and committed by [ArchiveWriter]. Memory depends on threads and chunk size.
public final class Archiver {

    /// chunks of a new volume grow until the device has at most so many, which leaves room for growth (FORMAT.md F032)
    private static final long COMFORTABLE_CHUNKS = Geometry.MAX_CHUNKS / 2;

    /// bytes that are read ahead, if that is enough to keep all threads at work
    private static final long MOST_IN_FLIGHT = 64 << 20;

    private final Vault vault;
    private final String name;
    private final ArchiveOptions options;
    private final InstantSource clock;
    private final LongConsumer progress;
    private final Consumer<String> warnings;

    /// What was recorded, or would have been.
    ///
    /// @param manifest of the new archive; empty in a dry run
    /// @param state of the device
    /// @param changedSize bytes of the device that are in the archive
    /// @param payloadSize of these, bytes that are not zero
    /// @param storedSize bytes that the archive takes in the vault, index included; an estimate in a dry run
    /// @param reusedSize of that, bytes that an interrupted run had left
    /// @param list what came of the change list, if there was one
    public record Outcome(
            Optional<Manifest> manifest,
            Kind kind,
            State state,
            State parent,
            long changedSize,
            long payloadSize,
            long storedSize,
            long reusedSize,
            Optional<ListReport> list) {}

    /// @param name of the volume
    /// @param progress gets the bytes of the device that are done, as they are
    /// @param warnings get what the user should know although it is no error
    public Archiver(
            Vault vault,
            String name,
            ArchiveOptions options,
            InstantSource clock,
            LongConsumer progress,
            Consumer<String> warnings) {
        this.vault = vault;
        this.name = name;
        this.options = options;
        this.clock = clock;
        this.progress = progress;
        this.warnings = warnings;
    }

    /// Archives a device or an image. A branch is recorded as a delta to the point that it began with, if the volume has that, of which only
    /// what was written since is read; otherwise it is a device like any other.
    ///
    /// @param lockWait how long to wait for another writer
    public Outcome archive(BlockSource source, Duration lockWait) throws IOException, InterruptedException {
        return archive(input(source), lockWait);
    }

    /// Archives a stream of unknown size.
    public Outcome archive(InputStream stream, Duration lockWait) throws IOException, InterruptedException {
        return archive(stream, "-", lockWait);
    }

    /// Archives a stream of unknown size.
    ///
    /// @param source what it comes from
    public Outcome archive(InputStream stream, String source, Duration lockWait) throws IOException, InterruptedException {
        String name = source.equals("-") ? "stdin" : source;
        return archive(new Input(source, -1, null, (chunkLog, same) -> Feed.of(stream, name, chunkLog), null), lockWait);
    }

    private interface FeedMaker {
        Feed feed(int chunkLog, Feed.Same same);
    }

    /// What is archived.
    ///
    /// @param size -1 if it is not known
    /// @param device null if it is a stream
    /// @param branch the device, if it is one
    private record Input(String name, long size, @Nullable BlockSource device, FeedMaker feeds, @Nullable Branch branch) {}

    private Outcome archive(Input input, Duration lockWait) throws IOException, InterruptedException {
        if (options.dryRun()) {
            return record(input, options.changes(), Receipt.begin(Receipt.What.ARCHIVE, vault, name, input.name, clock));
        }
        return asOnlyWriter(input.name, lockWait, receipt -> record(input, options.changes(), receipt));
    }

    /// What the only writer of a volume does.
    interface Turn {
        Outcome take(Receipt.Draft receipt) throws IOException, InterruptedException;
    }

    /// Does what ends in an archive as the only writer of the volume. If it fails, that goes on record.
    ///
    /// @param about what is archived, as the operator calls it
    Outcome asOnlyWriter(String about, Duration lockWait, Turn turn) throws IOException, InterruptedException {
        Volume volume = vault.volume(name);
        Receipt.Draft receipt = Receipt.begin(Receipt.What.ARCHIVE, vault, name, about, clock);
        try (VolumeLock lock = VolumeLock.acquire(volume.folder(), lockWait, "varve archive " + about)) {
            try {
                if (ArchiveWriter.recover(volume.folder())) {
                    warnings.accept("finished the archive that an interrupted run had completed");
                }
                return turn.take(receipt);
            } catch (RefusedException e) {
                throw e; // nothing was done
            } catch (IOException e) {
                new Receipts(volume).add(receipt.failed(e), warnings);
                throw e;
            }
        }
    }

    /// Archives a device, when it is this run's turn.
    Outcome record(BlockSource source, Optional<ListedChanges> changes, Receipt.Draft receipt) throws IOException {
        return record(input(source), changes, receipt);
    }

    private static Input input(BlockSource source) {
        Branch branch = source instanceof Branch known ? known : null;
        return new Input(source.name(), source.size(), source, (chunkLog, same) -> Feed.of(source, chunkLog, same), branch);
    }

    /// {@return the history of the volume so far}
    History history() throws IOException {
        Volume volume = vault.volume(name);
        return volume.exists() ? volume.read().sound() : new History(List.of());
    }

    private Outcome record(Input input, Optional<ListedChanges> changes, Receipt.Draft receipt) throws IOException {
        Volume volume = vault.volume(name);
        Signatures signatures = Signatures.of(volume);
        Optional<SecretKey> key = options.dryRun() ? Optional.empty() : signatures.requireSound();
        History history = history();
        Optional<Point> latest = history.latest();
        int chunkLog = chunkLog(latest, input.size);
        Optional<Point> start = options.full() || input.branch == null ? Optional.empty() : start(history, input.branch);
        Optional<Point> base = options.full() ? Optional.empty() : start.or(() -> latest);
        Instant time = time(history);
        try (Chain parent = base.isPresent() ? open(history, base.get()) : null) {
            ParentView view = parent == null ? null : new ParentView(parent, warnings);
            ListReader list = listReader(input, changes, history, parent, view);
            Optional<ListReport> report = Optional.empty();
            if (list != null) {
                report = Optional.of(list.read(name, volume.folder(), now()));
                warnOf(report.get());
            }
            Unlisted unlisted = list != null ? list.unlisted() : start.isPresent() ? written(input.branch, parent) : null;
            try (Feed feed = input.feeds.feed(chunkLog, unlisted == null ? Feed.Same.NOWHERE : unlisted)) {
                limit(feed, chunkLog);
                Header header = new Header(
                        parent == null ? Kind.FULL : Kind.DELTA,
                        chunkLog,
                        volumeId(volume, latest),
                        parent == null ? State.NOTHING : parent.state());
                Task task = new Task(header, feed, view, unlisted, report);
                if (options.dryRun()) {
                    return dryRun(task, input.name);
                }
                if (key.isPresent()) {
                    signatures.begin(key.get(), header.volumeId(), clock.instant());
                }
                Outcome outcome = write(volume, task, history, time, input.name, receipt, Signatures.signer(key, clock));
                outcome.manifest().ifPresent(manifest -> VolumeDigest.save(volume, history.with(new StoredArchive(volume.folder(), manifest, volume.keys()))));
                if (list != null) {
                    list.remember(volume.folder());
                }
                return outcome;
            }
        }
    }

    /// What a run is about to do.
    ///
    /// @param parent of a delta; null for a full
    /// @param unlisted what need not be read; null if nothing
    private record Task(
            Header header, Feed feed, @Nullable ParentView parent, @Nullable Unlisted unlisted, Optional<ListReport> list) {}

    private @Nullable ListReader listReader(
            Input input, Optional<ListedChanges> changes, History history, @Nullable Chain parent, @Nullable ParentView view)
            throws RefusedException {
        if (changes.isEmpty()) {
            return null;
        }
        if (parent == null || input.device == null) {
            throw new RefusedException(changes.get().source() + ": a change list is of use for a delta of a device or file: "
                    + (parent == null ? "here the whole device is to be stored" : "a stream has to be read from end to end"));
        }
        return new ListReader(changes.get(), input.device, history, parent, view, options);
    }

    /// {@return the point that a branch began with}
    private static Optional<Point> start(History history, Branch branch) {
        return history.points().stream().filter(point -> point.state().equals(branch.base())).reduce((a, b) -> b);
    }

    /// {@return what a branch has not written} Its own word is enough, since what it has not written it reads from the parent itself.
    private static Unlisted written(Branch branch, Chain parent) throws IOException {
        ChangeList changes = new ChangeList(branch.size());
        branch.changes(changes::add);
        return new Unlisted(changes, parent.geometry());
    }

    private void warnOf(ListReport report) {
        if (report.outside() > 0) {
            warnings.accept(report.list() + ": names " + report.outside() + " bytes past the end of the device; has it shrunk?");
        }
        if (!report.believed()) {
            warnings.accept(report.list() + ": IS WRONG: calls the block at " + report.wrong().getAsLong() + " unchanged, but it has "
                    + "changed; the list is not used, and the whole device is read; find out why before the next list is believed");
        }
    }

    private Outcome dryRun(Task task, String source) throws IOException {
        Tally tally = new Tally();
        Totals totals = run(task, Hints.NONE, tally);
        checkRoot(totals.state, source, null);
        return outcome(Optional.empty(), task, totals, tally.storedSize());
    }

    private Outcome write(
            Volume volume, Task task, History history, Instant time, String source, Receipt.Draft receipt, Signer signer) throws IOException {
        Optional<Point> latest = history.latest();
        Header header = task.header;
        Optional<Hash> previous = latest.map(point -> point.manifest().originalHash());
        long sequence = latest.map(point -> point.manifest().sequence() + 1).orElse(1L);
        List<Recipient> recipients = recipients(volume, history);
        try (ArchiveWriter writer = new ArchiveWriter(volume.folder(), header, signer, recipients)) {
            try {
                Totals totals = run(task, writer.hints(), writer);
                checkRoot(totals.state, source, writer);
                Manifest manifest = writer.commit(totals.state, written -> new Manifest(
                        header.kind(),
                        name,
                        header.volumeId(),
                        sequence,
                        previous,
                        Optional.empty(),
                        time,
                        now(),
                        options.label(),
                        source,
                        Receipt.hostName(),
                        Version.TOOL,
                        header.chunkLog(),
                        totals.state,
                        header.parent(),
                        totals.changed,
                        totals.payload,
                        written.file(),
                        written.index(),
                        written.seal()));
                remember(volume, history.with(new StoredArchive(volume.folder(), manifest, volume.keys())), recipients);
                keep(receipt, volume, manifest, writer.readBackFromMedium(), task.list);
                return outcome(Optional.of(manifest), task, totals, manifest.storedSize());
            } catch (IOException e) {
                if (writer.failed()) {
                    discard(writer, e);
                }
                throw e;
            }
        }
    }

    private List<Recipient> recipients(Volume volume, History history) throws IOException {
        SealedFor before = SealedFor.of(volume, history);
        if (options.recipients().isEmpty()) {
            return before.recipients(volume.keys(), history);
        }
        SealedFor now = SealedFor.keys(options.recipients());
        if (history.latest().isPresent() && !now.equals(before)) {
            warnings.accept(name + ": from now on sealed for " + (before.texts().isEmpty() ? "" : "other ") + "keys; what was archived before stays as it is"
                    + (before.texts().isEmpty() ? ", not sealed" : ": varve seal rewrap"));
        }
        return options.recipients();
    }

    /// what was said of recipients holds from now on
    private void remember(Volume volume, History history, List<Recipient> recipients) throws IOException {
        List<String> texts = SealedFor.keys(recipients).texts();
        VolumeSettings settings = VolumeSettings.read(volume, history);
        if (!options.recipients().isEmpty() && !texts.equals(settings.recipients())) {
            settings.sealFor(texts).writeSigned(volume);
        }
    }

    private void keep(Receipt.Draft receipt, Volume volume, Manifest manifest, boolean fromMedium, Optional<ListReport> list) {
        List<Receipt.Proof> proofs = List.of(Receipt.Proof.whole(manifest, Depth.STORED));
        List<String> open = new ArrayList<>(List.of(Depth.STORED.open()));
        list.filter(ListReport::believed).ifPresent(l -> open.add("what " + l.list() + " calls unchanged, but for " + l.auditedSize()
                + " bytes that were compared (" + l.drawn() + " chunks drawn, " + l.striped() + " of the stripe)"));
        new Receipts(volume).add(
                receipt.act(Depth.STORED, fromMedium ? Evidence.MEDIUM : Evidence.CACHE, Receipt.Result.OK, proofs, List.of(), open),
                warnings);
    }

    /// @param writer of the archive; null in a dry run
    private void checkRoot(State state, String source, @Nullable ArchiveWriter writer) throws IOException {
        if (options.root().isPresent() && !options.root().get().equals(state.root())) {
            if (writer != null) {
                writer.discard();
            }
            throw new RefusedException(source + ": expected root " + options.root().get() + ", found " + state.root() + "; nothing was recorded");
        }
    }

    private static void discard(ArchiveWriter writer, IOException reason) {
        try {
            writer.discard();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private static Outcome outcome(Optional<Manifest> manifest, Task task, Totals totals, long stored) {
        return new Outcome(
                manifest,
                task.header.kind(),
                totals.state,
                task.header.parent(),
                totals.changed,
                totals.payload,
                stored,
                totals.reused,
                task.list);
    }

    private record Totals(State state, long changed, long payload, long reused) {}

    /// the pipeline: pieces to workers, what they saw to the recorder, in order
    private Totals run(Task task, Hints hints, ArchiveOutput output) throws IOException {
        Feed feed = task.feed;
        ParentView parent = task.parent;
        ChangeList listed = task.unlisted == null ? null : task.unlisted.list();
        int chunkLog = task.header.chunkLog();
        long largest = Recorder.largestContent(chunkLog);
        LongAdder reused = new LongAdder();
        Hashing.warmUp(feed.knownSize());
        Throttle throttle = new Throttle(options.bytesPerSecond());
        Supplier<Scan> scans =
                () -> new Scan(feed, chunkLog, parent, hints, options.level(), largest, reused, listed);
        int threads = listed == null ? options.threads() : options.threadsOfList();
        int slots = Math.max(threads + 1, (int) Math.min(threads * 4L, MOST_IN_FLIGHT / feed.unit()));
        try (Arena arena = Arena.ofShared();
                Workers<Scan> workers = new Workers<>(threads, options.idle(), scans)) {
            SegmentAllocator memory = new LargePages(arena);
            Recorder recorder = new Recorder(
                    workers, feed::knownSize, Recorder.ZeroHashes.NONE, output, chunkLog, parent == null ? null : parent.geometry(), memory);
            Deque<Scan.Slot> free = new ArrayDeque<>();
            for (int i = 0; i < slots; i++) {
                free.add(new Scan.Slot(memory, feed.unit(), feed.chunkSize(), parent == null));
            }
            record Flight(Feed.Piece piece, Scan.@Nullable Slot slot, @Nullable Future<List<Scan.Chunk>> chunks) {}
            Deque<Flight> flights = new ArrayDeque<>();
            boolean more = true;
            while (more || !flights.isEmpty()) {
                while (more && flights.size() < slots && (!free.isEmpty() || (flights.isEmpty() && recorder.runFirst()))) {
                    if (free.isEmpty()) {
                        continue;
                    }
                    Scan.Slot slot = free.remove();
                    Feed.Piece piece = feed.next(slot.bytes);
                    if (piece == null) {
                        more = false;
                        free.add(slot);
                    } else if (piece.kind() != Feed.Kind.DATA) {
                        free.add(slot);
                        flights.add(new Flight(piece, null, null));
                    } else {
                        limit(feed, chunkLog);
                        throttle.take(piece.size());
                        boolean single = new Geometry(feed.knownSize(), chunkLog).single();
                        flights.add(new Flight(piece, slot, workers.submit(scan -> scan.scan(piece, slot, single))));
                    }
                }
                Flight flight = flights.poll();
                if (flight == null) {
                    continue;
                }
                switch (flight.piece.kind()) {
                    case HOLE -> hole(flight.piece, chunkLog, parent, recorder);
                    case SAME -> same(flight.piece, chunkLog, parent, recorder);
                    case DATA -> take(Workers.result(flight.chunks), flight.slot, chunkLog, parent, recorder, free);
                }
                progress.accept(flight.piece.size());
            }
            State state = recorder.finish();
            feed.checkEnd();
            return new Totals(state, recorder.changedSize(), recorder.payloadSize(), reused.sum());
        }
    }

    private static void hole(Feed.Piece piece, int chunkLog, @Nullable ParentView parent, Recorder recorder) throws IOException {
        long end = (piece.offset() + piece.size() + (1L << chunkLog) - 1) >>> chunkLog;
        for (long chunk = piece.offset() >>> chunkLog; chunk < end; ) {
            long length = Math.min(1L << chunkLog, piece.offset() + piece.size() - (chunk << chunkLog));
            Node old = parent == null ? null : parent.node(chunk, length);
            if (parent == null) {
                recorder.zero(chunk, end);
                chunk = end;
            } else if (old == null || !old.zero()) {
                recorder.zero(chunk, ++chunk);
            } else {
                // a last chunk, here or in the parent, may have another length in the other: it is looked at by itself
                long last = Math.min(end, parent.geometry().chunks()) - 1;
                long to = Math.max(chunk + 1, Math.min(old.end(), last));
                recorder.sameZero(chunk, to, old);
                chunk = to;
            }
        }
    }

    private static void same(Feed.Piece piece, int chunkLog, ParentView parent, Recorder recorder) throws IOException {
        long end = (piece.offset() + piece.size() + (1L << chunkLog) - 1) >>> chunkLog;
        for (long chunk = piece.offset() >>> chunkLog; chunk < end; ) {
            long length = Math.min(1L << chunkLog, piece.offset() + piece.size() - (chunk << chunkLog));
            Node node = parent.node(chunk, length);
            if (node.zero()) {
                long to = Math.min(end, node.end());
                recorder.sameZero(chunk, to, node);
                chunk = to;
            } else {
                recorder.same(node.hash(), length);
                chunk++;
            }
        }
    }

    private static void take(
            List<Scan.Chunk> chunks,
            Scan.Slot slot,
            int chunkLog,
            @Nullable ParentView parent,
            Recorder recorder,
            Deque<Scan.Slot> free)
            throws IOException {
        long start = chunks.getFirst().number();
        int[] frames = {1};
        Runnable release = () -> {
            if (--frames[0] == 0) {
                free.add(slot);
            }
        };
        for (Scan.Chunk chunk : chunks) {
            switch (chunk.verdict()) {
                case ZERO -> recorder.zero(chunk.number(), chunk.number() + 1);
                case SAME -> {
                    if (chunk.hash() == null) {
                        recorder.sameZero(chunk.number(), chunk.number() + 1, parent.node(chunk.number(), chunk.length()));
                    } else {
                        recorder.same(chunk.hash(), chunk.length());
                    }
                }
                case DATA -> {
                    if (parent == null) {
                        frames[0]++;
                        recorder.data(chunk.number(), chunk.hash(), CompletableFuture.completedFuture(chunk.frame()), release);
                    } else {
                        MemorySegment bytes = slot.bytes.asSlice((chunk.number() - start) << chunkLog, chunk.length());
                        changed(chunk, bytes, chunkLog, recorder);
                    }
                }
            }
        }
        release.run();
    }

    private static void changed(Scan.Chunk chunk, MemorySegment bytes, int chunkLog, Recorder recorder) throws IOException {
        List<Extent> extents = chunk.extents();
        if (recorder.extentsLeft() < Extent.MAX_ROWS / 2) { // whole chunks instead of ever more pieces
            long blocks = (bytes.byteSize() + Geometry.BLOCK_SIZE - 1) >>> Geometry.BLOCK_LOG;
            extents = List.of(new Extent(chunk.number() << (chunkLog - Geometry.BLOCK_LOG), blocks, true));
        }
        List<Extent> taken = extents;
        recorder.changed(chunk.number(), chunk.hash(), taken, payload -> {
            long done = 0;
            for (Extent extent : taken) {
                long from = (extent.first() << Geometry.BLOCK_LOG) - (chunk.number() << chunkLog);
                long size = Math.min(extent.count() << Geometry.BLOCK_LOG, bytes.byteSize() - from);
                if (extent.data()) {
                    MemorySegment.copy(bytes, from, payload, done, size);
                    done += size;
                }
            }
            return null;
        });
    }

    private void limit(Feed feed, int chunkLog) throws RefusedException {
        if (new Geometry(feed.knownSize(), chunkLog).chunks() > Geometry.MAX_CHUNKS) {
            throw new RefusedException(name + ": " + feed.knownSize() + " bytes are too many for chunks of " + (1 << chunkLog)
                    + ": start a new volume with a larger --chunk-size");
        }
    }

    private int chunkLog(Optional<Point> latest, long size) throws RefusedException {
        if (latest.isPresent()) {
            int chunkLog = latest.get().manifest().chunkLog();
            if (options.chunkLog().isPresent() && options.chunkLog().getAsInt() != chunkLog) {
                throw new RefusedException(name + ": this volume has chunks of " + (1 << chunkLog) + " bytes; "
                        + "--chunk-size is for new volumes");
            }
            return chunkLog;
        }
        if (options.chunkLog().isPresent()) {
            return options.chunkLog().getAsInt();
        }
        int chunkLog = Geometry.DEFAULT_CHUNK_LOG;
        while (chunkLog < Geometry.MAX_CHUNK_LOG && size >> chunkLog > COMFORTABLE_CHUNKS) { // not for a stream, whose size is -1
            chunkLog++;
        }
        return chunkLog;
    }

    private static Chain open(History history, Point latest) throws IOException {
        State state = latest.state();
        Optional<List<StoredArchive>> path = history.path(state, StoredArchive::dataAtHand)
                .or(() -> history.path(state, StoredArchive::indexAtHand));
        if (path.isEmpty()) {
            throw new BrokenChainException(latest.archive().manifestFile().getFileName()
                    + ": a delta needs the hash tables (.index) of the archives that lead here, and some are not "
                    + "at hand; bring them back, or archive with --full");
        }
        return Chain.open(path.get());
    }

    private static UUID volumeId(Volume volume, Optional<Point> latest) throws IOException {
        if (latest.isPresent()) {
            return latest.get().manifest().volumeId();
        }
        return ArchiveWriter.stagedHeader(volume.folder()).map(Header::volumeId).orElseGet(UUID::randomUUID);
    }

    /// the time of the point to be: now, or the next millisecond that no other point has
    private Instant time(History history) throws RefusedException {
        Instant time = options.time().orElseGet(this::now);
        Optional<Instant> latest = history.latest().map(point -> point.manifest().time());
        if (options.time().isPresent() && latest.isPresent() && !latest.get().isBefore(time)) {
            throw new RefusedException(name + ": its latest point in time is of " + Manifest.text(latest.get()) + ", and points are recorded in the "
                    + "order of their times: " + Manifest.text(time) + " is no later; record it in another volume");
        }
        if (latest.isPresent() && latest.get().isAfter(time)) {
            warnings.accept("the clock says " + Manifest.text(time) + ", but the latest point in time is of "
                    + Manifest.text(latest.get()) + ": check the clock");
        }
        Set<Instant> taken = history.archives().stream().map(archive -> archive.manifest().time()).collect(Collectors.toSet());
        while (taken.contains(time)) {
            time = time.plusMillis(1);
        }
        return time;
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
