package varve.archive.snapshot;

import java.time.Duration;

/// How snapshots are taken.
///
/// @param storeSize room for what changes on the origin of a classic LVM snapshot, as `lvcreate` wants it: `20%ORIGIN`, or bytes with a `b`
/// @param disconnect stop the replication of a DRBD resource while its snapshot is taken
/// @param limit for each run of another program
public record SnapshotSettings(String storeSize, boolean disconnect, Duration limit) {

    /// A fifth of the origin for what changes between one run and the end of the next.
    public static final SnapshotSettings DEFAULTS = new SnapshotSettings("20%ORIGIN", false, Program.DEFAULT_LIMIT);

    Program program() {
        return new Program(limit);
    }
}
