package varve.archive.snapshot;

import static varve.archive.snapshot.Machine.b3sum;
import static varve.archive.snapshot.Machine.equal;
import static varve.archive.snapshot.Machine.run;
import static varve.archive.snapshot.Machine.shell;
import static varve.archive.snapshot.Machine.step;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import varve.archive.cli.ExitCode;
import varve.archive.snapshot.Machine.Ended;

/// A scene in the guest of [SnapshotsInGuestTest]: both ends of a DRBD resource, the primary as `left`, the secondary as `right`, which
/// replicate over the loopback interface.
final class DrbdScene {

    private static final String SETTINGS = """
            resource right {
                device /dev/drbd1;
                meta-disk internal;
                net { protocol C; }
                disk { c-plan-ahead 0; resync-rate 200M; }
                on guest { disk /dev/vg0/right; address 127.0.0.1:7002; }
                on other { disk /dev/vg0/right; address 127.0.0.1:7001; }
            }
            """;

    private final String disk;
    private final Random random;
    private final Machine machine;

    /// @param disk that is empty
    DrbdScene(String disk, long seed) throws Exception {
        this.disk = disk;
        this.random = new Random(seed);
        this.machine = new Machine(Path.of("/mnt/drbd"));
    }

    void play() throws Exception {
        Machine other = new Machine(Path.of("/mnt/no-drbd"));
        other.varve("archive", "drbd:none").expect(ExitCode.NOT_FOUND).says("drbd:none: drbdadm knows no such resource");
        make();
        step("replicating");
        other.varve("archive", "drbd:none").expect(ExitCode.NOT_FOUND).says("drbd:none: drbdadm knows no such resource");
        write(0, 200);
        good(archive());
        write(0, 1);
        write(3_000, 100);
        Ended second = archive();
        good(second);
        equal("delta", second.member("kind"), "kind");
        equal("true", second.member("believed"), "believed");
        step("two nights");
        disconnecting();
        refused();
        killedWhileDisconnected();
    }

    private void make() throws Exception {
        shell("modprobe drbd minor_count=8 usermode_helper=/bin/true");
        shell("pvcreate -qq -ff -y " + disk + "; vgcreate -qq vg0 " + disk);
        shell("for end in left right; do lvcreate -qq -y -W n -Z n -n $end -L 16M vg0; done");
        Files.writeString(Path.of("/etc/drbd.d/right.res"), SETTINGS);
        shell("yes yes | drbdmeta --force 0 v08 /dev/vg0/left internal create-md >/dev/null");
        shell("yes yes | drbdadm create-md --force right >/dev/null");
        shell("drbdsetup new-resource left; drbdsetup new-minor left 0 0; drbdsetup attach 0 /dev/vg0/left /dev/vg0/left internal");
        shell("drbdadm up right");
        shell("drbdsetup connect left 127.0.0.1:7001 127.0.0.1:7002 --protocol=C; drbdsetup primary 0 --force");
        upToDate();
    }

    private static void upToDate() throws Exception {
        for (int i = 0; i < 600; i++) {
            if (run("drbdadm", "dstate", "right").startsWith("UpToDate") && run("drbdadm", "cstate", "right").equals("Connected")) {
                return;
            }
            Thread.sleep(200);
        }
        throw new AssertionError("does not become up to date: " + Files.readString(Path.of("/proc/drbd")));
    }

    /// writes blocks of 4 KiB to the primary
    private void write(int block, int count) throws Exception {
        byte[] bytes = new byte[count * 4096];
        random.nextBytes(bytes);
        Path file = Files.write(Path.of("/mnt/tmp/blocks"), bytes);
        shell("dd if=" + file + " of=/dev/drbd0 bs=4k seek=" + block + " oflag=direct conv=notrunc status=none; sync");
    }

    private Ended archive(Object... more) {
        Object[] words = new Object[5 + more.length];
        System.arraycopy(new Object[] {"archive", "drbd:right", "--json", "--snapshot-size", "50%"}, 0, words, 0, 5);
        System.arraycopy(more, 0, words, 5, more.length);
        return machine.varve(words);
    }

    private void good(Ended night) throws Exception {
        night.expect(ExitCode.OK);
        equal(b3sum("/dev/drbd0"), night.member("root"), "root, and that of the primary");
        equal(run("blockdev", "--getsize64", "/dev/drbd0"), night.member("size"), "size");
        equal(1, snapshots(), "snapshots");
        equal("", run("lvs", "--noheadings", "-o", "lv_tags", "vg0/right"), "tags of the volume");
    }

    private static int snapshots() throws Exception {
        return Machine.ours("vg0").size();
    }

    private void disconnecting() throws Exception {
        write(500, 10);
        good(archive("--disconnect"));
        upToDate();
        step("disconnected and connected again");
    }

    private void refused() throws Exception {
        shell("drbdadm disconnect right");
        write(600, 10);
        archive().expect(ExitCode.REFUSED).says("is not connected: it is StandAlone");
        shell("drbdadm outdate right");
        archive().expect(ExitCode.REFUSED).says("is not up to date here: its disk is Outdated");
        equal(1, snapshots(), "snapshots");
        shell("drbdsetup connect left 127.0.0.1:7001 127.0.0.1:7002 --protocol=C 2>/dev/null || true; drbdadm connect right");
        upToDate();
        good(archive());
        shell("drbdsetup secondary 0; drbdadm primary right");
        archive().expect(ExitCode.REFUSED).says("is Primary here");
        shell("drbdadm secondary right; drbdsetup primary 0");
        step("refused what is not up to date, or primary");
    }

    private void killedWhileDisconnected() throws Exception {
        write(700, 10);
        try (Machine.Counted drbdadm = machine.count(Path.of("/mnt/first"), List.of("drbdadm"))) {
            equal(true, drbdadm.killed("drbdadm connect", "archive", "drbd:right", "--disconnect", "--snapshot-size", "50%"), "killed before it connects again");
        }
        equal("StandAlone", run("drbdadm", "cstate", "right"), "connection");
        machine.varve("snapshots", "drbd:right").expect(ExitCode.OK).says("replication of drbd:right stopped");
        write(720, 10);
        good(archive());
        upToDate();
        step("killed while disconnected");
    }
}
