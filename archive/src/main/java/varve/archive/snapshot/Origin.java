package varve.archive.snapshot;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import varve.archive.block.BlockSource;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeList;

/// A device that can be snapshotted by a program that comes with its storage. Every method asks that program anew.
public sealed interface Origin permits LogicalVolume, DrbdResource, RbdImage {

    /// {@return our snapshots of it, whoever of us owns them, in no order}
    List<Snapshot> snapshots() throws IOException, InterruptedException;

    /// Makes sure that a snapshot taken now is worth it.
    ///
    /// @return what [#snapshots] would
    /// @throws RefusedException if not
    List<Snapshot> prepare() throws IOException, InterruptedException;

    /// Takes a snapshot. If that fails, there is none.
    Snapshot take(Owner owner, Instant now) throws IOException, InterruptedException;

    /// Opens a snapshot. [BlockSource#checkSize] of it says whether it still is sound.
    BlockSource open(Snapshot snapshot) throws IOException, InterruptedException;

    /// {@return what has changed between two snapshots, or more}
    ///
    /// @param size of the newer one, as opened
    /// @throws RefusedException if that cannot be known
    ChangeList changes(Snapshot older, Snapshot newer, long size) throws IOException, InterruptedException;

    /// {@return how the list of [#changes] is called in messages}
    String listName(Snapshot older, Snapshot newer);

    /// Removes a snapshot.
    void remove(Snapshot snapshot) throws IOException, InterruptedException;

    /// Puts right what a run that was killed has left other than snapshots. The caller is the only writer of the owner's volume.
    ///
    /// @param really do it, or only look
    /// @return what there is to do
    List<String> mend(Owner owner, boolean really) throws IOException, InterruptedException;
}
