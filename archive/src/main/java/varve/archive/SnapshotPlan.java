package varve.archive;

import java.util.List;
import java.util.Optional;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.snapshot.Owner;
import varve.archive.snapshot.Snapshot;

/// Which of our snapshots of a device the next delta starts from, and which nobody needs.
///
/// A manifest names the snapshot that its point was made from, and its root is that of the snapshot: so the vault itself says what a snapshot
/// holds, from the moment in which the point exists. Whatever no point was made from is left over from a run that did not end, and of those
/// with a point only the newest is needed.
///
/// @param base the snapshot that the next list of changes starts from, and its point
/// @param leftovers the other snapshots of the same owner
/// @param whole why the whole device has to be read; empty if a list will do
public record SnapshotPlan(Optional<Base> base, List<Snapshot> leftovers, Optional<String> whole) {

    /// A snapshot, and the point that was made from it.
    public record Base(Snapshot snapshot, Point point) {}

    /// Makes the plan.
    ///
    /// @param found snapshots of the device
    /// @param full whether a full is asked for
    static SnapshotPlan of(History history, List<Snapshot> found, Owner owner, boolean full) {
        List<Snapshot> ours = found.stream().filter(snapshot -> snapshot.owner().equals(owner)).toList();
        Optional<Base> known = base(history, ours);
        Optional<Base> base = known.filter(b -> b.snapshot.sound());
        List<Snapshot> leftovers = ours.stream().filter(s -> base.isEmpty() || !s.equals(base.get().snapshot)).toList();
        return new SnapshotPlan(base, leftovers, whole(history, ours, known, full));
    }

    private static Optional<Base> base(History history, List<Snapshot> ours) {
        for (Point point : history.points().reversed()) {
            for (Snapshot snapshot : ours) {
                if (point.manifest().source().equals(snapshot.toString())) {
                    return Optional.of(new Base(snapshot, point));
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> whole(History history, List<Snapshot> ours, Optional<Base> known, boolean full) {
        if (history.archives().isEmpty()) {
            return Optional.of("the volume is new");
        }
        if (full) {
            return Optional.of("a full was asked for");
        }
        if (known.isEmpty()) {
            return Optional.of(ours.isEmpty()
                    ? "no snapshot of an earlier run is there"
                    : "no point of this vault was made from " + ours.getFirst() + ", nor from any other of the snapshots that are there");
        }
        Base base = known.get();
        if (!base.snapshot.sound()) {
            return Optional.of("the snapshot that was kept has overflowed: " + base.snapshot + "; give the next ones more room with --snapshot-size");
        }
        Point latest = history.latest().orElseThrow();
        boolean linked = base.point.state().equals(latest.state())
                || history.path(base.point.state(), StoredArchive::indexAtHand).isPresent();
        return linked ? Optional.empty() : Optional.of("the tables of the archives up to " + base.point.manifest().baseName() + " are not at hand");
    }
}
