package varve.archive;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.Fold;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Extent;
import varve.archive.format.Header;
import varve.archive.format.Kind;
import varve.archive.format.Manifest;
import varve.archive.format.Node;
import varve.archive.format.Rule;
import varve.archive.format.State;
import varve.archive.format.Version;
import varve.archive.hash.Hash;
import varve.archive.hash.Hashing;
import varve.archive.linux.LargePages;
import varve.archive.file.Signer;
import varve.archive.vault.Signatures;
import varve.archive.seal.Recipient;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.PointName;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// Makes one archive of several: a delta that leads straight from one point in time to a later one, or a full of a point,
/// without the device.
///
/// [Fold] says what the new archive holds and where that is. Frames that are live as a whole are copied, each byte proved by its
/// file's tree; of the others the live parts are decoded, put together, proved and compressed by workers. The leading thread
/// gives all to the [Recorder] in device order. What the new archive was made of stays; to remove it is for others.
///
/// Memory depends on threads and chunk size, not on the device or the number of archives. For one thread; close it.
public final class Consolidation implements Closeable {

    /// memory for decoded frames, if they are not unusually large
    private static final long DECODED = 48L << 20;

    private final Vault vault;
    private final Volume volume;
    private final ConsolidationOptions options;
    private final Consumer<String> warnings;
    private final @Nullable Chain chain;
    private final int first;
    private final ConsolidationPlan plan;

    /// What was made.
    ///
    /// @param manifest of the new archive
    /// @param storedSize bytes that it takes, index included
    /// @param reusedSize of that, bytes that an interrupted run had left
    /// @param provedChunks packed chunks whose content was hashed
    /// @param openChunks packed chunks of which only the pieces were proved, since the rest is in archives that are away
    public record Outcome(Manifest manifest, long storedSize, long reusedSize, long provedChunks, long openChunks) {}

    private Consolidation(
            Vault vault,
            Volume volume,
            ConsolidationOptions options,
            Consumer<String> warnings,
            @Nullable Chain chain,
            int first,
            ConsolidationPlan plan) {
        this.vault = vault;
        this.volume = volume;
        this.options = options;
        this.warnings = warnings;
        this.chain = chain;
        this.first = first;
        this.plan = plan;
    }

    /// Finds the points and the archives between them, and plans. To execute the plan, hold the lock of the volume from before this
    /// call on, and have finished what an interrupted run had completed ([ArchiveWriter#recover]).
    ///
    /// @param name of the volume
    /// @throws BrokenChainException if archives that are needed are not at hand
    /// @throws RefusedException if the points are in the wrong order
    public static Consolidation open(Vault vault, String name, ConsolidationOptions options, Consumer<String> warnings)
            throws IOException {
        Volume volume = vault.volume(name);
        History history = volume.read().sound();
        Point to = new PointName(volume.name(), Optional.of(options.to())).in(history);
        Optional<Point> from = options.from().isEmpty()
                ? Optional.empty()
                : Optional.of(new PointName(volume.name(), options.from()).in(history));
        if (from.isPresent() && from.get().manifest().sequence() > to.manifest().sequence()) {
            throw new RefusedException(name(from.get()) + " is later than " + name(to) + ": give the earlier point as --from");
        }
        return open(vault, volume, history, from, to, options, warnings);
    }

    /// Plans with some archives of the volume.
    ///
    /// @param history those that may be used
    /// @param from the point that the new delta applies to; empty for a full
    /// @param options how; the points that they name do not matter
    static Consolidation open(
            Vault vault,
            Volume volume,
            History history,
            Optional<Point> from,
            Point to,
            ConsolidationOptions options,
            Consumer<String> warnings)
            throws IOException {
        State start = from.map(Point::state).orElse(State.NOTHING);
        Optional<StoredArchive> present = present(history, start, to.state());
        if (present.isPresent() || start.equals(to.state())) {
            ConsolidationPlan idle = new ConsolidationPlan(from, to, List.of(), present, 0, 0, 0, 0, 0, 0);
            return new Consolidation(vault, volume, options, warnings, null, 0, idle);
        }
        List<StoredArchive> below = from.isEmpty() ? List.of() : below(volume, history, start);
        List<StoredArchive> folded = folded(volume, history, from, to);
        List<StoredArchive> path = new ArrayList<>(below);
        path.addAll(folded);
        for (StoredArchive archive : folded) {
            if (archive.manifest().seal().isPresent()) {
                archive.openData().close(); // better found out now than after hours: what is folded has to be read
            }
        }
        Chain chain = Chain.open(path);
        try {
            ConsolidationPlan plan = plan(from, to, folded, chain, below.size());
            return new Consolidation(vault, volume, options, warnings, chain, below.size(), plan);
        } catch (Throwable e) {
            chain.close();
            throw e;
        }
    }

    private static String name(Point point) {
        return point.manifest().volume() + "@" + Manifest.text(point.manifest().time());
    }

    private static Optional<StoredArchive> present(History history, State start, State end) {
        return history.archives().stream()
                .filter(archive -> archive.manifest().parent().equals(start) && archive.manifest().state().equals(end))
                .filter(archive -> !archive.manifest().unchanged() && archive.dataAtHand())
                .findFirst();
    }

    /// the tables that say what the new delta applies to; their data is read only to prove more, if it is at hand
    private static List<StoredArchive> below(Volume volume, History history, State start) throws BrokenChainException {
        Optional<List<StoredArchive>> path = history.path(start, StoredArchive::dataAtHand)
                .or(() -> history.path(start, StoredArchive::indexAtHand));
        return path.orElseThrow(() -> broken(volume, history.path(start, any -> true), StoredArchive::indexAtHand,
                volume.name() + ": the tables (.index) of a full and the deltas up to the first point are needed"));
    }

    private static List<StoredArchive> folded(Volume volume, History history, Optional<Point> from, Point to)
            throws BrokenChainException {
        State start = from.map(Point::state).orElse(State.NOTHING);
        String what = from.isPresent()
                ? volume.name() + ": no deltas lead from " + name(from.get()) + " to " + name(to)
                        + "; if a full begins anew in between, nothing has to be folded there"
                : volume.name() + ": no archives lead to " + name(to);
        return history.path(start, to.state(), StoredArchive::dataAtHand)
                .orElseThrow(() -> broken(volume, history.path(start, to.state(), any -> true), StoredArchive::dataAtHand, what));
    }

    private static BrokenChainException broken(
            Volume volume, Optional<List<StoredArchive>> path, Predicate<StoredArchive> atHand, String otherwise) {
        if (path.isEmpty()) {
            return new BrokenChainException(otherwise);
        }
        List<String> missing = path.get().stream()
                .filter(atHand.negate())
                .map(archive -> archive.data().getFileName().toString())
                .toList();
        return new BrokenChainException(volume.name() + ": needed, but not at hand: " + String.join(", ", missing)
                + "; bring them back to " + volume.folder());
    }

    private static ConsolidationPlan plan(Optional<Point> from, Point to, List<StoredArchive> folded, Chain chain, int first)
            throws IOException {
        if (first > 0) {
            chain.proveRoot(first - 1);
        }
        Fold fold = new Fold(chain, first);
        long movedFrames = 0;
        long movedSize = 0;
        long packed = 0;
        long payload = 0;
        long rows = 0;
        for (Fold.Part part = fold.next(); part != null; part = fold.next()) {
            switch (part) {
                case Fold.Same _, Fold.SameZero _ -> {}
                case Fold.Zero _ -> rows += Node.SIZE + Extent.SIZE;
                case Fold.Data data -> {
                    rows += Node.SIZE + (long) data.extents().size() * Extent.SIZE;
                    payload += data.payload();
                    if (data.source() == null) {
                        packed += data.payload();
                    } else if (data.source().at() == 0) {
                        movedFrames++;
                        movedSize += data.source().frame().size();
                    }
                }
            }
        }
        long read = folded.stream().mapToLong(archive -> archive.manifest().file().size()).sum();
        long decoded = folded.stream().mapToLong(archive -> archive.manifest().payloadSize()).sum();
        long stored = movedSize + (decoded == 0 ? 0 : (long) ((double) packed * read / decoded)) + 2 * rows;
        return new ConsolidationPlan(from, to, folded, Optional.empty(), read, movedFrames, movedSize, packed, payload, stored);
    }

    public ConsolidationPlan plan() {
        return plan;
    }

    /// Makes the archive that was planned. The lock of the volume is held by the caller.
    ///
    /// @param progress gets bytes as they are done, [ConsolidationPlan#work] in all
    /// @throws CorruptException if an archive that is read is damaged; nothing has changed then
    /// @throws IllegalStateException if the plan is idle
    public Outcome execute(InstantSource clock, LongConsumer progress) throws IOException {
        return execute(clock, progress, DECODED);
    }

    /// @param decoded memory for decoded frames
    Outcome execute(InstantSource clock, LongConsumer progress, long decoded) throws IOException {
        if (chain == null) {
            throw new IllegalStateException("nothing to do");
        }
        vault.check();
        Signer signer = Signatures.signer(Signatures.of(volume).requireSound(), clock);
        Hashing.warmUp(plan.readSize() + plan.packedSize());
        String about = plan.from().map(from -> Manifest.text(from.manifest().time())).orElse("full") + " to "
                + Manifest.text(plan.to().manifest().time());
        Receipt.Draft receipt = Receipt.begin(Receipt.What.CONSOLIDATE, vault, volume.name(), about, clock);
        try {
            return write(clock, progress, receipt, decoded, signer);
        } catch (RefusedException e) {
            throw e; // nothing was done
        } catch (IOException e) {
            new Receipts(volume).add(receipt.failed(e), warnings);
            throw e;
        }
    }

    private Outcome write(InstantSource clock, LongConsumer progress, Receipt.Draft receipt, long decoded, Signer signer) throws IOException {
        Manifest point = plan.to().manifest();
        State parent = plan.from().map(Point::state).orElse(State.NOTHING);
        History history = volume.read().history();
        List<Recipient> recipients = SealedFor.of(volume, history).recipients(volume.keys(), history);
        Header header = new Header(plan.kind(), point.chunkLog(), point.volumeId(), parent);
        try (ArchiveWriter writer = new ArchiveWriter(volume.folder(), header, signer, recipients)) {
            try {
                Totals totals = run(writer, progress, decoded);
                if (!totals.state.equals(point.state())) {
                    throw new CorruptException(Rule.F031, point.baseName(), "expected " + point.state() + ", found " + totals.state);
                }
                Manifest manifest = writer.commit(
                        totals.state,
                        written -> point.derive(
                                parent,
                                clock.instant().truncatedTo(ChronoUnit.MILLIS),
                                Version.TOOL,
                                totals.changed,
                                totals.payload,
                                written.file(),
                                written.index(),
                                written.seal()),
                        index -> {
                            if (first > 0) {
                                chain.proveOnTop(first - 1, index, "the new delta");
                            }
                        });
                keep(receipt, manifest, writer.readBackFromMedium(), totals);
                return new Outcome(manifest, manifest.storedSize(), totals.reused, totals.proved, totals.open);
            } catch (IOException e) {
                if (writer.failed() || e instanceof CorruptException) {
                    discard(writer, e);
                }
                throw e;
            }
        }
    }

    private void keep(Receipt.Draft receipt, Manifest manifest, boolean fromMedium, Totals totals) {
        List<String> open = new ArrayList<>(List.of(Depth.STORED.open()));
        if (totals.open > 0) {
            open.add("the content of " + totals.open + " chunks, which is in part in archives that could not be read");
        }
        List<Receipt.Proof> proofs = List.of(Receipt.Proof.whole(manifest, Depth.STORED));
        Evidence evidence = fromMedium ? Evidence.MEDIUM : Evidence.CACHE;
        new Receipts(volume).add(receipt.act(Depth.STORED, evidence, Receipt.Result.OK, proofs, List.of(), open), warnings);
    }

    private static void discard(ArchiveWriter writer, IOException reason) {
        try {
            writer.discard();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private record Totals(State state, long changed, long payload, long reused, long proved, long open) {}

    private Totals run(ArchiveWriter writer, LongConsumer progress, long decoded) throws IOException {
        Geometry geometry = chain.geometry();
        LongAdder reused = new LongAdder();
        Repacker.Proofs proofs = new Repacker.Proofs(belowAtHand(), warnings);
        try (Arena arena = Arena.ofShared();
                SourceFiles files = new SourceFiles(chain);
                Workers<Repacker> workers = new Workers<>(options.threads(), false, () -> new Repacker(
                        chain, first, files, proofs, options.threads(), writer.hints(), options.level(), reused))) {
            SegmentAllocator memory = new LargePages(arena);
            Recorder recorder = new Recorder(
                    workers,
                    geometry::size,
                    this::zeroHash,
                    writer,
                    geometry.chunkLog(),
                    first == 0 ? null : chain.index(first - 1).geometry(),
                    memory);
            State state = new FoldWriter(chain, first, workers, decoded, recorder, memory, progress).run();
            return new Totals(
                    state, recorder.changedSize(), recorder.payloadSize(), reused.sum(), proofs.proved(), proofs.open());
        }
    }

    private boolean belowAtHand() {
        return IntStream.range(0, first).allMatch(layer -> chain.archive(layer).dataAtHand());
    }

    private @Nullable Hash zeroHash(long chunk, long count) throws IOException {
        Node node = chain.find(chunk).node();
        return node.zero() && node.chunk() == chunk && node.count() == count ? node.hash() : null;
    }

    @Override
    public void close() throws IOException {
        if (chain != null) {
            chain.close();
        }
    }
}
