package varve.archive.snapshot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import varve.archive.block.RefusedException;
import varve.archive.changes.ChangeList;
import varve.archive.changes.ChangeSource;
import varve.archive.linux.Linux;

/// A thin pool in use, and `thin_delta`, which compares the tables of two of its volumes.
///
/// The tables of a pool in use may be read only as of a *metadata snapshot*, of which a pool has at most one. While varve holds it, a tag of the
/// pool says so, and a kernel lock on a file, which dies with its owner. So what a killed run has left is told from what belongs to
/// another varve, and from what belongs to somebody else, who is waited for.
final class ThinPool {

    static final String TAG = "varve.metadata-snapshot";

    private static final Path LOCKS = Path.of("/run/lock");
    private static final Duration MOST_WAIT = Duration.ofMinutes(1); // thin_delta needs less, and whoever needs more keeps us from a list for good
    private static final long POLL_MILLIS = 500;
    private static final int HELD_FIELD = 6; // of: start, length, thin-pool, transaction, metadata, data, held root

    private final SnapshotSettings settings;
    private final Program program;
    private final Lvm lvm;
    private final Lvm.Row row;
    private final String group;
    private final String pool;

    /// @param row of the pool, as it has just been found
    ThinPool(SnapshotSettings settings, Lvm lvm, Lvm.Row row) {
        this.settings = settings;
        this.program = settings.program();
        this.lvm = lvm;
        this.row = row;
        this.group = row.group();
        this.pool = row.name();
    }

    private String target() {
        return Lvm.mapperName(group, pool) + "-tpool";
    }

    /// {@return what differs between two thin volumes}
    ///
    /// @param size of the device that the list is for
    ChangeList delta(String older, String newer, long size) throws IOException, InterruptedException {
        long end = System.nanoTime() + Math.min(MOST_WAIT.toNanos(), settings.limit().toNanos());
        int lock = open();
        try {
            boolean waited = lock(lock, end);
            if ((waited || tagged(row)) && tagged(lvm.row(group, pool))) {
                release(); // of a run that was killed: the lock is ours
            }
            reserve(end);
            try {
                Path tables = Lvm.device(group, row.metadata());
                List<String> command = List.of("thin_delta", "-m", "--snap1", older, "--snap2", newer, tables.toString());
                return program.read(command, out -> ChangeSource.read(ChangeSource.Kind.THIN_DELTA, out, "thin_delta", size));
            } finally {
                giveBack();
            }
        } finally {
            Linux.close(lock);
        }
    }

    private static boolean tagged(Lvm.Row row) {
        return row.tags().contains(TAG);
    }

    /// Gives back a metadata snapshot that a killed run holds.
    ///
    /// @return what there was to do
    List<String> mend(boolean really) throws IOException, InterruptedException {
        List<String> found = new ArrayList<>();
        if (!tagged(row)) {
            return found;
        }
        int lock = open();
        try {
            if (Linux.flock(lock, true, false) && tagged(lvm.row(group, pool))) { // else its owner is, or was, alive
                found.add("metadata snapshot of the thin pool " + group + "/" + pool);
                if (really) {
                    release();
                }
            }
        } finally {
            Linux.close(lock);
        }
        return found;
    }

    private int open() throws IOException {
        Files.createDirectories(LOCKS);
        return Linux.open(LOCKS.resolve("varve-" + target() + ".lock"), Linux.O_RDWR | Linux.O_CREAT | Linux.O_NOFOLLOW);
    }

    /// {@return whether somebody else had it meanwhile}
    private boolean lock(int file, long end) throws IOException, InterruptedException {
        boolean waited = false;
        while (!Linux.flock(file, true, false)) {
            await(end, "another varve");
            waited = true;
        }
        return waited;
    }

    private void reserve(long end) throws IOException, InterruptedException {
        while (held()) {
            await(end, "somebody else");
        }
        lvm.tag(group, pool, TAG);
        try {
            program.run("dmsetup", "message", target(), "0", "reserve_metadata_snap");
        } catch (IOException e) {
            lvm.untag(group, pool, TAG);
            throw e;
        }
    }

    private void release() throws IOException, InterruptedException {
        if (held()) {
            giveBack();
        } else {
            lvm.untag(group, pool, TAG);
        }
    }

    private void giveBack() throws IOException, InterruptedException {
        program.run("dmsetup", "message", target(), "0", "release_metadata_snap");
        lvm.untag(group, pool, TAG);
    }

    private boolean held() throws IOException, InterruptedException {
        String status = program.run("dmsetup", "status", target()).strip();
        String[] fields = status.split(" +");
        if (fields.length <= HELD_FIELD || !fields[2].equals("thin-pool")) {
            throw new IOException("dmsetup status " + target() + ": expected that of a thin pool, found: " + status);
        }
        return !fields[HELD_FIELD].equals("-");
    }

    private void await(long end, String holder) throws IOException, InterruptedException {
        if (System.nanoTime() - end >= 0) {
            throw new RefusedException("thin pool " + group + "/" + pool + ": " + holder + " holds its metadata snapshot; if nobody does any more: dmsetup"
                    + " message " + target() + " 0 release_metadata_snap");
        }
        Thread.sleep(POLL_MILLIS);
    }
}
