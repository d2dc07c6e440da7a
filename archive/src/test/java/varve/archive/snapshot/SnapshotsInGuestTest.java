package varve.archive.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.testdata.Guest;
import varve.testdata.Histories;

/// Snapshots by the real LVM, thin pools and DRBD, in a kernel of their own: nightly deltas of a file system in use, and runs
/// that are killed at any step. In each check two nights and a kill of each kind, so that it does not take a quarter of an
/// hour; `-Dvarve.test.nights=7 -Dvarve.test.kills=99` for all, `-Dvarve.test.seed=random` for other steps.
class SnapshotsInGuestTest {

    private static final int DISKS = 3;
    private static final long DISK = 256L << 20;
    private static final int LIMIT_SECONDS = Integer.getInteger("varve.test.guestLimit", 900);
    private static final int NIGHTS = Integer.getInteger("varve.test.nights", 2);
    private static final int KILLS = Integer.getInteger("varve.test.kills", 1);

    @TempDir
    static Path job;

    @BeforeAll
    static void play() throws Exception {
        String missing = Guest.missing("lvs", "thin_delta", "drbdadm", "b3sum", "mkfs.ext4");
        Assumptions.assumeTrue(missing.isEmpty(), "needs " + missing);
        System.out.print(Guest.run(job, DISKS, DISK, LIMIT_SECONDS, Scenes.class,
                "/mnt/job", String.valueOf(Histories.seeds(1).getFirst()), String.valueOf(NIGHTS), String.valueOf(KILLS)));
    }

    private static void assertPlayed(String scene) throws Exception {
        assertEquals("", Files.readString(job.resolve(scene)));
    }

    @Test
    void whatIsNotThereIsOneError() throws Exception {
        assertPlayed("missing");
    }

    @Test
    void nightsOfAMountedVolume() throws Exception {
        assertPlayed("classic");
        assertPlayed("classic nights");
        assertPlayed("classic end");
    }

    @Test
    void aSnapshotThatOverflowsIsNotBelieved() throws Exception {
        assertPlayed("overflows");
    }

    @Test
    void nightsOfAMountedThinVolume() throws Exception {
        assertPlayed("thin");
        assertPlayed("thin nights");
        assertPlayed("thin end");
    }

    @Test
    void aMetadataSnapshotOfSomebodyElseIsWaitedForAndNotReleased() throws Exception {
        assertPlayed("held");
    }

    @Test
    void aRunKilledAtAnyStepLeavesNothingThatTheNextDoesNotRemove() throws Exception {
        assertPlayed("classic kills");
    }

    @Test
    void aRunOnAThinVolumeKilledAtAnyStepLeavesNothingThatTheNextDoesNotRemove() throws Exception {
        assertPlayed("thin kills");
    }

    @Test
    void aSecondaryIsArchivedOnlyIfItIsUpToDate() throws Exception {
        assertPlayed("drbd");
    }
}
