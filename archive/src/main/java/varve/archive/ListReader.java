package varve.archive;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.Geometry;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.Difference;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.changes.ChangeList;
import varve.archive.file.StoredArchive;
import varve.archive.hash.Hash;
import varve.archive.vault.PointName;

/// Reads a change list for a run, makes sure that it starts from a point of the volume, adds what changed between that point and
/// the parent, and audits it.
final class ListReader {

    private final ListedChanges changes;
    private final BlockSource source;
    private final History history;
    private final Chain parent;
    private final ParentView view;
    private final ArchiveOptions options;
    private @Nullable Unlisted unlisted;
    private @Nullable AuditMark mark;

    /// @param parent of the delta to be
    /// @param view of it
    /// @param options how the source is to be read
    ListReader(ListedChanges changes, BlockSource source, History history, Chain parent, ParentView view, ArchiveOptions options) {
        this.changes = changes;
        this.source = source;
        this.history = history;
        this.parent = parent;
        this.view = view;
        this.options = options;
    }

    /// Reads and audits the list.
    ///
    /// @param folder of the volume
    /// @throws RefusedException if the list is invalid, or does not start from a point of the volume
    ListReport read(String volume, Path folder, Instant now) throws IOException {
        ChangeList list = changes.source().read(source.size());
        Point start = start(volume, list);
        if (!start.state().equals(parent.state())) {
            addBetween(start, list);
        }
        Unlisted candidate = new Unlisted(list, parent.geometry());
        long chunks = new Geometry(source.size(), parent.geometry().chunkLog()).chunks();
        AuditMark last = AuditMark.read(folder, now);
        long from = last.next() < chunks ? last.next() : 0;
        long end = Math.min(chunks, from + last.due(chunks, changes.stripeDays(), now));
        long draws = (long) Math.ceil(changes.sample() * chunks);
        ListAudit.Result audit = new ListAudit(source, candidate, view, options).run(draws, changes.random(), from, end);
        if (audit.wrong().isEmpty()) {
            unlisted = candidate;
        }
        mark = new AuditMark(end == chunks ? 0 : end, now);
        return new ListReport(
                changes.source().toString(),
                list.listedSize(),
                list.outside(),
                audit.drawn(),
                audit.undetected(),
                audit.striped(),
                chunks,
                now.plus(Duration.ofDays(changes.stripeDays())),
                audit.readSize(),
                audit.wrong());
    }

    /// {@return what need not be read; null if the list is not believed}
    @Nullable Unlisted unlisted() {
        return unlisted;
    }

    /// Remembers where the next audit goes on, once the run is in the vault. After a full scan it may begin anywhere.
    void remember(Path folder) throws IOException {
        if (mark != null && unlisted != null) {
            mark.write(folder);
        }
    }

    private Point start(String volume, ChangeList list) throws IOException {
        if (changes.since().isEmpty() && list.since().isEmpty()) {
            throw new RefusedException(changes.source() + ": does not say which state it starts from; name that point in time with --since");
        }
        Optional<Hash> said = list.since();
        String name = changes.since().orElseGet(() -> said.get().toString());
        Point start = new PointName(volume, Optional.of(name)).in(history);
        if (said.isPresent() && !said.get().equals(start.state().root())) {
            throw new RefusedException(changes.source() + ": starts from root " + said.get() + ", but --since " + name + " has "
                    + start.state().root() + "; it is the list of another point or device");
        }
        return start;
    }

    private void addBetween(Point start, ChangeList list) throws IOException {
        Optional<List<StoredArchive>> path = history.path(start.state(), StoredArchive::indexAtHand);
        if (path.isEmpty()) {
            throw new BrokenChainException(changes.source() + ": starts from " + start.manifest().baseName() + ", which is not the latest "
                    + "point, and tables of archives that lead there are not at hand; make a list since the latest point");
        }
        try (Chain old = Chain.open(path.get())) {
            Difference.between(old, parent, list::add);
        }
    }
}
