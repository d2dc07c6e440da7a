/// Snapshots of devices, taken and removed by the programs that the storage brings along: LVM, thin pools, DRBD, Ceph.
///
/// An *origin* is a device that can be snapshotted ([varve.archive.snapshot.Origin]), a *snapshot* is one of ours: it carries the
/// vault and the volume that it was taken for ([varve.archive.snapshot.Owner]), and no other is ever removed. A
/// [varve.archive.snapshot.Program] is a run of somebody else's program, a [varve.archive.snapshot.Hook] one of the operator's own.
@NullMarked
package varve.archive.snapshot;

import org.jspecify.annotations.NullMarked;
