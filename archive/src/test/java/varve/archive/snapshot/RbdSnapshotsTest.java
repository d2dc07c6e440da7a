package varve.archive.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.ExitCode;
import varve.archive.snapshot.Machine.Ended;
import varve.testdata.Histories;
import varve.testdata.TestFiles;
import varve.testdata.Tools;

/// Snapshots of images in a real Ceph cluster of one node (`testdata/ceph`). `varve` runs in processes of its own, since the cluster is named
/// in the environment.
class RbdSnapshotsTest {

    private static final int EVERY = Integer.getInteger("varve.test.killEvery", 2);
    private static final int NIGHTS = Integer.getInteger("varve.test.nights", 4);

    @TempDir
    static Path folder;

    private static Path cluster;

    private final long seed = Histories.seeds(1).getFirst();
    private final Random random = new Random(seed);

    @BeforeAll
    static void start() throws Exception {
        List<String> missing = Stream.of("ceph-mon", "ceph-osd", "rbd", "ceph", "b3sum").filter(tool -> Tools.find(tool).isEmpty()).toList();
        Assumptions.assumeTrue(missing.isEmpty(), "needs " + missing);
        cluster = folder.resolve("cluster");
        Machine.run(TestFiles.root().resolve("ceph/cluster").toString(), "start", cluster.toString());
    }

    @AfterAll
    static void stop() throws Exception {
        if (cluster != null) {
            Machine.run(TestFiles.root().resolve("ceph/cluster").toString(), "stop", cluster.toString());
        }
    }

    private Machine machine(String image, String size) throws Exception {
        Machine machine = new Machine(folder.resolve(image));
        machine.environment.put("CEPH_CONF", cluster.resolve("ceph.conf").toString());
        rbd("create", "-s", size, "rbd/" + image);
        write(image, 40);
        return machine;
    }

    private static String rbd(String... words) throws Exception {
        return Machine.shell("CEPH_CONF=" + cluster + "/ceph.conf rbd " + String.join(" ", words));
    }

    private void write(String image, int count) throws Exception {
        Machine.shell("CEPH_CONF=" + cluster + "/ceph.conf /usr/bin/python3 " + TestFiles.root().resolve("ceph/image.py") + " " + image + " "
                + random.nextInt(1 << 30) + " " + count);
    }

    /// {@return the only snapshot of ours}
    private static String only(String image) throws Exception {
        List<String> snapshots = rbd("snap", "ls", "--format", "json", "rbd/" + image, "| tr ',' '\\n'").lines()
                .filter(line -> line.contains("\"name\":\"varve."))
                .map(line -> line.replaceAll(".*:\"|\".*", ""))
                .toList();
        assertEquals(1, snapshots.size(), snapshots.toString());
        return snapshots.getFirst();
    }

    private static void assertGood(String image, Ended night) throws Exception {
        night.expect(ExitCode.OK);
        String snapshot = rbd("export", "--no-progress", "rbd/" + image + "@" + only(image), "-", "| b3sum --no-names");
        assertEquals(snapshot, night.member("root"), night.out());
    }

    @Test
    void nightsInWhichTheImageGrowsAndShrinks() throws Exception {
        Machine machine = machine("week", "24M");
        assertGood("week", machine.varveProcess("archive", "rbd:rbd/week", "--json"));
        rbd("snap", "create", "--no-progress", "rbd/week@foreign");
        for (int night = 1; night <= NIGHTS; night++) {
            if (night == 2) {
                rbd("resize", "--no-progress", "-s", "28M", "rbd/week");
            } else if (night == 3) {
                rbd("resize", "--no-progress", "--allow-shrink", "-s", "20M", "rbd/week");
            }
            write("week", 6);
            Ended ended = machine.varveProcess("archive", "rbd:rbd/week", "--json");
            assertGood("week", ended);
            assertEquals("delta", ended.member("kind"));
            assertEquals("true", ended.member("believed"), ended.err());
        }
        assertTrue(rbd("snap", "ls", "rbd/week").contains("foreign"));
        machine.varveProcess("snapshots").expect(ExitCode.OK).says("kept for the next delta");
        machine.varveProcess("snapshots", "--forget").expect(ExitCode.OK).says("removed 1");
        assertFalse(rbd("snap", "ls", "rbd/week").contains("varve"));
        machine.varveProcess("archive", "rbd:rbd/week", "--json").expect(ExitCode.OK).says("no snapshot of an earlier run is there");
    }

    @Test
    void aRunKilledAtAnyStepLeavesNothingThatTheNextDoesNotRemove() throws Exception {
        Machine machine = machine("kills", "8M");
        assertGood("kills", machine.varveProcess("archive", "rbd:rbd/kills", "--json"));
        boolean killed = true;
        try (Machine.Counted rbd = machine.count(folder.resolve("bin"), List.of("rbd"))) {
            for (int call = 1; killed; call += EVERY) {
                write("kills", 2);
                killed = rbd.killed(call, "archive", "rbd:rbd/kills");
                write("kills", 2);
                Ended ended = machine.varveProcess("archive", "rbd:rbd/kills", "--json");
                assertGood("kills", ended);
                assertEquals("true", ended.member("believed"), ended.err());
            }
        }
    }

    @Test
    void anImageThatIsNotThereIsOneError() throws Exception {
        Machine machine = new Machine(folder.resolve("none"));
        machine.environment.put("CEPH_CONF", cluster.resolve("ceph.conf").toString());
        for (String image : List.of("rbd/none", "none/image", "rbd/none/image")) {
            Ended ended = machine.varveProcess("archive", "rbd:" + image).expect(ExitCode.NOT_FOUND).says("rbd:" + image + ": there is no such image");
            assertEquals(1, ended.err().lines().filter(line -> line.startsWith("varve: ")).count(), ended.err());
        }
        assertFalse(Files.exists(machine.vault));
    }
}
