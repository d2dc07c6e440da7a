package varve.archive.foreign;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.changes.SnapshotStore;

/// A foreign patch, read step by step.
///
/// Not thread-safe. Close it; the file stays open.
final class Patch implements AutoCloseable {

    private final Cursor cursor;
    private final Reader reader;

    /// Reads one step.
    private interface Reader {
        /// @return nothing if there is none any more
        Optional<Step> next(PatchSink sink) throws IOException;
    }

    private Patch(Cursor cursor, Reader reader) {
        this.cursor = cursor;
        this.reader = reader;
    }

    /// Begins to read a patch.
    ///
    /// @param size of its parent
    static Patch open(FileDevice file, Form form, long size) {
        Cursor cursor = new Cursor(file);
        return new Patch(cursor, switch (form) {
            case BDSYNC -> once(sink -> Bdsync.read(cursor, sink));
            case LVMSYNC -> once(sink -> Lvmsync.read(cursor, size, sink));
            case LVMSYNC_SNAPBACK -> once(sink -> Lvmsync.readHeadless(cursor, size, sink));
            case RBD_DIFF -> once(sink -> RbdDiff.readAlone(cursor, sink));
            case RBD_EXPORT -> new RbdExport(cursor)::next;
            case BLOCKSYNC_FAST -> once(sink -> BlocksyncFast.read(cursor, size, sink));
            case LVM_COW -> once(sink -> store(file, size, sink));
            case RAW, GZ, XZ, BZ2, LZ4, ZST, QCOW2 -> throw new IllegalArgumentException(form.word());
        });
    }

    /// Reads the next step.
    ///
    /// @return nothing after the last
    /// @throws RefusedException if the file is not as it should be; the sink may have taken a part of the step
    Optional<Step> next(PatchSink sink) throws IOException {
        return reader.next(sink);
    }

    private interface Whole {
        Step read(PatchSink sink) throws IOException;
    }

    private static Reader once(Whole whole) {
        boolean[] done = {false};
        return sink -> {
            if (done[0]) {
                return Optional.empty();
            }
            done[0] = true;
            return Optional.of(whole.read(sink));
        };
    }

    /// The parent is the origin as it is now; where its chunks were overwritten, the store has what was there.
    private static Step store(FileDevice file, long size, PatchSink sink) throws IOException {
        try {
            SnapshotStore.read(file, size, (offset, length, position) ->
                    sink.data(offset, Math.min(length, size - offset), position));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new RefusedException(file.name() + ": no store of a snapshot that can be used: " + e.getMessage() + "; nothing was recorded");
        }
        return Step.plain(List.of("leads back: to the device as it was when the snapshot was taken, an earlier state than its parent"));
    }

    @Override
    public void close() {
        cursor.close();
    }
}
