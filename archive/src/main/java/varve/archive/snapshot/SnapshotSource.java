package varve.archive.snapshot;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import varve.archive.block.BlockSource;
import varve.archive.block.DeviceException;

/// A snapshot as a block source: its device, perhaps less a tail, that must still be sound when all of it has been read.
final class SnapshotSource implements BlockSource {

    private final Snapshot snapshot;
    private final BlockSource device;
    private final long size;
    private final Check check;

    /// Asks the storage whether the snapshot still is sound.
    interface Check {
        /// @throws DeviceException if not
        void run() throws IOException, InterruptedException;
    }

    /// @param device closed with this
    /// @param size of it that counts
    SnapshotSource(Snapshot snapshot, BlockSource device, long size, Check check) {
        this.snapshot = snapshot;
        this.device = device;
        this.size = size;
        this.check = check;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public String name() {
        return snapshot.toString();
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        try {
            device.read(offset, into);
        } catch (DeviceException e) {
            ask(e); // an overflow shows as an I/O error
            throw e;
        }
    }

    private void ask(@Nullable IOException reason) throws IOException {
        try {
            check.run();
        } catch (InterruptedException e) {
            throw (InterruptedIOException) new InterruptedIOException(snapshot + ": interrupted").initCause(e);
        } catch (DeviceException e) {
            if (reason != null) {
                e.addSuppressed(reason);
            }
            throw e;
        }
    }

    @Override
    public long dataFrom(long offset) throws IOException {
        return Math.min(size, device.dataFrom(offset));
    }

    @Override
    public long dataUntil(long offset) throws IOException {
        return Math.min(size, device.dataUntil(offset));
    }

    @Override
    public void checkSize() throws IOException {
        device.checkSize();
        ask(null);
    }

    @Override
    public void close() throws IOException {
        device.close();
    }
}
