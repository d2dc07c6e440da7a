package varve.archive.snapshot;

import static varve.archive.snapshot.Machine.b3sum;
import static varve.archive.snapshot.Machine.equal;
import static varve.archive.snapshot.Machine.run;
import static varve.archive.snapshot.Machine.shell;
import static varve.archive.snapshot.Machine.step;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import varve.archive.cli.ExitCode;
import varve.archive.snapshot.Machine.Ended;

/// What happens in the guest of [SnapshotsInGuestTest]: a disk with a volume group, a volume with a file system that is mounted and written to,
/// and nights.
public final class LvmScenes {

    private static final int NIGHTS = Integer.getInteger("varve.test.nights", 3);
    private static final List<String> TOOLS = List.of("lvs", "lvcreate", "lvremove", "lvchange", "dmsetup", "thin_delta");

    private final Random random;
    private final boolean thin;
    private final String origin;
    private final Path files = Path.of("/mnt/files");
    private final Machine machine;

    private LvmScenes(boolean thin, long seed) throws Exception {
        this.random = new Random(seed);
        this.thin = thin;
        this.origin = (thin ? "lvm-thin:" : "lvm:") + "vg-0/da-ta";
        this.machine = new Machine(Path.of("/mnt/varve"));
    }

    /// @param words scene, kind of volume, seed
    public static void main(String... words) throws Exception {
        LvmScenes scenes = new LvmScenes(words[1].equals("thin"), Long.parseLong(words[2]));
        step("seed " + words[2]);
        scenes.make();
        switch (words[0]) {
            case "week" -> scenes.week();
            case "kills" -> scenes.kills(Integer.parseInt(words[3]));
            default -> throw new IllegalArgumentException(words[0]);
        }
        step("done");
        System.exit(0);
    }

    private void make() throws Exception {
        shell("pvcreate -qq -ff -y /dev/ubda; vgcreate -qq vg-0 /dev/ubda");
        if (thin) {
            shell("lvcreate -qq -y --type thin-pool -L 160M -c 64k -n pool vg-0; lvcreate -qq -y --type thin -V 40M -n da-ta --thinpool vg-0/pool");
        } else {
            shell("lvcreate -qq -y -W n -Z n -n da-ta -L 40M vg-0");
        }
        Files.createDirectories(files);
        shell("mkfs.ext4 -q -E lazy_itable_init=0,nodiscard /dev/vg-0/da-ta && mount -o discard /dev/vg-0/da-ta " + files);
        write(20);
    }

    private void write(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            byte[] bytes = new byte[random.nextInt(200_000)];
            random.nextBytes(bytes);
            Files.write(files.resolve("file" + random.nextInt(60)), bytes);
        }
        Files.deleteIfExists(files.resolve("file" + random.nextInt(60)));
        shell("sync");
    }

    private List<String> snapshots() throws Exception {
        return Machine.ours("vg-0");
    }

    /// {@return the only snapshot of ours}
    private String only() throws Exception {
        List<String> snapshots = snapshots();
        equal(1, snapshots.size(), "snapshots of ours: " + snapshots);
        return snapshots.getFirst();
    }

    private Ended archive(Object... more) {
        Object[] words = new Object[3 + more.length];
        words[0] = "archive";
        words[1] = origin;
        words[2] = "--json";
        System.arraycopy(more, 0, words, 3, more.length);
        return machine.varve(words);
    }

    private void good(Ended night) throws Exception {
        night.expect(ExitCode.OK);
        equal(b3sum("/dev/vg-0/" + only()), night.member("root"), "root");
        if (thin) {
            equal("-", run("dmsetup", "status", "vg--0-pool-tpool").split(" +")[6], "metadata snapshot of the pool");
        }
    }

    private void week() throws Exception {
        good(archive("--snapshot-size", "60%"));
        shell(thin ? "lvcreate -qq -y -s -kn -n foreign vg-0/da-ta" : "lvcreate -qq -y -s -L 8M -n foreign vg-0/da-ta");
        AtomicBoolean over = new AtomicBoolean();
        Thread writer = new Thread(() -> scribble(over));
        writer.start(); // never stands still, not even while a snapshot is taken or read
        for (int night = 1; night <= NIGHTS; night++) {
            write(4);
            if (thin) {
                shell("fstrim " + files);
            }
            Ended ended = archive("--snapshot-size", "60%");
            good(ended);
            equal("delta", ended.member("kind"), "kind");
            equal("true", ended.member("believed"), "believed");
            long listed = Long.parseLong(ended.member("listedSize"));
            if (listed == 0 || listed > 20 << 20) {
                throw new AssertionError("listed: " + listed);
            }
            step("night " + night + ": " + listed + " bytes listed");
        }
        over.set(true);
        writer.join();
        machine.varve("snapshots").expect(ExitCode.OK).says("kept for the next delta");
        machine.varve("consolidate", "da-ta", "--from", "-" + NIGHTS, "--prove", "kept").expect(ExitCode.OK).says("proved: all of " + origin + "@" + only());
        equal("foreign", run("lvs", "--noheadings", "-o", "lv_name", "vg-0/foreign").strip(), "the snapshot of somebody else");
        machine.varve("snapshots", "--forget").expect(ExitCode.OK);
        equal(List.of(), snapshots(), "snapshots of ours");
    }

    private void scribble(AtomicBoolean over) {
        Random own = new Random(1);
        try {
            while (!over.get()) {
                byte[] bytes = new byte[own.nextInt(20_000)];
                own.nextBytes(bytes);
                Files.write(files.resolve("scribble" + own.nextInt(5)), bytes);
                Thread.sleep(30);
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// A run that is killed before each of the programs that it calls.
    private void kills(int every) throws Exception {
        good(archive());
        int call = 1 + random.nextInt(every);
        for (boolean killed = true; killed; call += every) {
            write(1);
            killed = machine.varveKilledAt(call, TOOLS, "archive", origin);
            if (call % 3 == 0) {
                machine.varve("snapshots", "--clean").expect(ExitCode.OK);
                only();
            }
            write(1);
            Ended ended = archive();
            good(ended);
            equal("true", ended.member("believed"), "believed");
            equal(List.of(), untidy(), "tags");
            step((killed ? "killed before program " : "ended before program ") + call);
        }
    }

    private static List<String> untidy() throws Exception {
        return Arrays.stream(run("lvs", "-a", "--noheadings", "-o", "lv_tags", "vg-0").split("[,\\s]+"))
                .filter(tag -> tag.startsWith("varve.metadata"))
                .toList();
    }
}
