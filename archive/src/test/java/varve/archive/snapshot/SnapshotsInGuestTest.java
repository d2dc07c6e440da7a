package varve.archive.snapshot;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Guest;
import varve.testdata.Histories;

/// Snapshots by the real LVM, thin pools and DRBD, in a kernel of their own: nightly deltas of a file system in use, and runs
/// that are killed at any step. In each check three nights and every eighth step, so that it does not take a quarter of an
/// hour; `-Dvarve.test.nights=7 -Dvarve.test.killEvery=1` for all.
class SnapshotsInGuestTest {

    private static final long DISK = 512L << 20;
    private static final int LIMIT_SECONDS = Integer.getInteger("varve.test.guestLimit", 900);
    private static final int EVERY = Integer.getInteger("varve.test.killEvery", 8);

    @TempDir
    Path job;

    private final long seed = Histories.seeds(1).getFirst();

    @BeforeEach
    void check() {
        String missing = Guest.missing("lvs", "thin_delta", "drbdadm", "b3sum", "mkfs.ext4");
        Assumptions.assumeTrue(missing.isEmpty(), "needs " + missing);
    }

    private void run(Class<?> scene, Object... words) throws Exception {
        String[] arguments = Arrays.stream(words).map(Object::toString).toArray(String[]::new);
        Guest.run(job, DISK, LIMIT_SECONDS, scene, arguments);
    }

    @Test
    void aWeekOfNightsOfAMountedVolume() throws Exception {
        run(LvmScenes.class, "week", "classic", seed);
    }

    @Test
    void aWeekOfNightsOfAMountedThinVolume() throws Exception {
        run(LvmScenes.class, "week", "thin", seed);
    }

    @Test
    void aRunKilledAtAnyStepLeavesNothingThatTheNextDoesNotRemove() throws Exception {
        run(LvmScenes.class, "kills", "classic", seed, EVERY);
    }

    @Test
    void aRunOnAThinVolumeKilledAtAnyStepLeavesNothingThatTheNextDoesNotRemove() throws Exception {
        run(LvmScenes.class, "kills", "thin", seed, 2 * EVERY);
    }

    @Test
    void aSecondaryIsArchivedOnlyIfItIsUpToDate() throws Exception {
        run(DrbdScene.class, seed);
    }
}
