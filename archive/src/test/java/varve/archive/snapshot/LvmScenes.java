package varve.archive.snapshot;

import static varve.archive.snapshot.Machine.b3sum;
import static varve.archive.snapshot.Machine.equal;
import static varve.archive.snapshot.Machine.run;
import static varve.archive.snapshot.Machine.shell;
import static varve.archive.snapshot.Machine.step;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import varve.archive.cli.ExitCode;
import varve.archive.snapshot.Machine.Ended;

/// Scenes in the guest of [SnapshotsInGuestTest]: a volume group with a volume, classic or thin, whose file system is mounted and written to.
final class LvmScenes {

    private static final List<String> TOOLS = List.of("lvs", "lvcreate", "lvremove", "lvchange", "dmsetup", "thin_delta");

    private final Random random;
    private final boolean thin;
    private final String group;
    private final String origin;
    private final Path files;
    private final Machine machine;

    /// @param disk that is empty
    LvmScenes(boolean thin, String disk, long seed) throws Exception {
        this.random = new Random(seed);
        this.thin = thin;
        this.group = thin ? "vg-thin" : "vg-0";
        this.origin = (thin ? "lvm-thin:" : "lvm:") + group + "/da-ta";
        this.files = Path.of("/mnt/files-" + group);
        this.machine = new Machine(Path.of("/mnt/varve-" + group));
        shell("pvcreate -qq -ff -y " + disk + "; vgcreate -qq " + group + " " + disk);
        if (thin) {
            shell("lvcreate -qq -y --type thin-pool -L 100M -c 64k -n pool " + group + "; lvcreate -qq -y --type thin -V 24M -n da-ta --thinpool " + group
                    + "/pool");
        } else {
            shell("lvcreate -qq -y -W n -Z n -n da-ta -L 24M " + group);
        }
        Files.createDirectories(files);
        shell("mkfs.ext4 -q -E lazy_itable_init=0,nodiscard /dev/" + group + "/da-ta && mount -o discard /dev/" + group + "/da-ta " + files);
        write(20);
    }

    private void write(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            byte[] bytes = new byte[random.nextInt(200_000)];
            random.nextBytes(bytes);
            Files.write(files.resolve("file" + random.nextInt(60)), bytes);
        }
        Files.deleteIfExists(files.resolve("file" + random.nextInt(60)));
        run("sync");
    }

    private List<String> snapshots() throws Exception {
        return Machine.ours(group);
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
        equal(b3sum("/dev/" + group + "/" + only()), night.member("root"), "root");
        if (thin) {
            equal("-", held(), "metadata snapshot of the pool");
        }
    }

    /// Nights of a volume that never stands still, not even while a snapshot is taken or read, beside the snapshot of somebody else.
    void nights(int count) throws Exception {
        good(archive("--snapshot-size", "60%"));
        shell("lvcreate -qq -y -s " + (thin ? "-kn" : "-L 8M") + " -n foreign " + group + "/da-ta");
        AtomicBoolean over = new AtomicBoolean();
        Thread writer = new Thread(() -> scribble(over));
        writer.start();
        for (int night = 1; night <= count; night++) {
            write(4);
            if (thin) {
                run("fstrim", files.toString());
            }
            Ended ended = archive("--snapshot-size", "60%");
            good(ended);
            equal("delta", ended.member("kind"), "kind");
            equal("true", ended.member("believed"), "believed");
            long listed = Long.parseLong(ended.member("listedSize"));
            if (listed == 0 || listed > 16 << 20) {
                throw new AssertionError("listed: " + listed);
            }
            step("night " + night + ": " + listed + " bytes listed");
        }
        over.set(true);
        writer.join();
        machine.varve("consolidate", "da-ta", "--from", "-" + count, "--prove", "kept").expect(ExitCode.OK).says("proved: all of " + origin + "@" + only());
    }

    /// A metadata snapshot of the pool that somebody else holds: there is no list, and it is not ours to release.
    void heldBySomebodyElse() throws Exception {
        write(1);
        run("dmsetup", "message", "vg--thin-pool-tpool", "0", "reserve_metadata_snap");
        String held = held();
        Ended ended = archive("--tool-timeout", "20").expect(ExitCode.OK).says("THE WHOLE DEVICE IS READ").says("somebody else holds its metadata snapshot");
        equal(b3sum("/dev/" + group + "/" + only()), ended.member("root"), "root");
        equal(held, held(), "metadata snapshot of the pool");
        equal(List.of(), untidy(), "tags");
        run("dmsetup", "message", "vg--thin-pool-tpool", "0", "release_metadata_snap");
    }

    private static String held() throws Exception {
        return run("dmsetup", "status", "vg--thin-pool-tpool").split(" +")[6];
    }

    /// Ours all go when that is wanted; that of somebody else stays.
    void end() throws Exception {
        machine.varve("snapshots", origin).expect(ExitCode.OK).says("kept for the next delta");
        machine.varve("snapshots", origin, "--forget").expect(ExitCode.OK);
        equal(List.of(), snapshots(), "snapshots of ours");
        equal("foreign", run("lvs", "--noheadings", "-o", "lv_name", group + "/foreign").strip(), "the snapshot of somebody else");
    }

    private void scribble(AtomicBoolean over) {
        Random own = new Random(1);
        try {
            while (!over.get()) {
                byte[] bytes = new byte[own.nextInt(20_000)];
                own.nextBytes(bytes);
                Files.write(files.resolve("scribble" + own.nextInt(5)), bytes);
                Thread.sleep(150); // else there is little left of the only processor of the guest
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// A classic snapshot whose store is too small for what is written, before the run that wants its list, and during a run.
    void overflows() throws Exception {
        good(archive("--snapshot-size", "4M"));
        overflow("before");
        Ended scanned = archive("--snapshot-size", "60%");
        good(scanned);
        scanned.says("THE WHOLE DEVICE IS READ: the snapshot that was kept has overflowed");
        equal("delta", scanned.member("kind"), "kind");
        step("overflowed before the run");

        String base = only();
        String points = machine.varve("list", "da-ta", "--json").expect(ExitCode.OK).out();
        Thread writer = new Thread(() -> {
            try {
                while (Machine.shell("ls /dev/" + group).lines().filter(name -> name.startsWith("varve")).count() < 2) {
                    Thread.sleep(50);
                }
                overflow("during");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        writer.start();
        Ended failed = archive("--snapshot-size", "4M", "--full", "--bwlimit", "2M").expect(ExitCode.IO).says("the snapshot overflowed while it was read");
        writer.join();
        equal(1L, failed.err().lines().filter(line -> line.startsWith("varve: ")).count(), "errors: " + failed.err());
        equal(base, only(), "the snapshot that is kept");
        equal(points, machine.varve("list", "da-ta", "--json").out(), "points");
        Ended next = archive("--snapshot-size", "60%");
        good(next);
        equal("true", next.member("believed"), "believed");
        step("overflowed during the run");
    }

    private void overflow(String name) throws Exception {
        byte[] bytes = new byte[6 << 20];
        new Random(name.hashCode()).nextBytes(bytes);
        Files.write(files.resolve("big"), bytes);
        run("sync");
    }

    /// Runs that are killed before one of the programs that they call, any of them in time.
    void kills(int count) throws Exception {
        try (Machine.Counted tools = machine.count(Path.of("/mnt/first"), TOOLS)) {
            write(1);
            tools.calls();
            archive().expect(ExitCode.OK);
            List<String> calls = tools.calls();
            step("a run calls " + calls);
            List<Integer> steps = new ArrayList<>(IntStream.rangeClosed(1, calls.size()).boxed().toList());
            Collections.shuffle(steps, random);
            for (int call : steps.subList(0, Math.min(count, steps.size()))) {
                write(1);
                equal(true, tools.killed(call, "archive", origin), "killed before call " + call + " of " + calls);
                if (call % 3 == 0) {
                    machine.varve("snapshots", origin, "--clean").expect(ExitCode.OK);
                    only();
                }
                write(1);
                Ended ended = archive();
                good(ended);
                equal("true", ended.member("believed"), "believed");
                equal(List.of(), untidy(), "tags");
                step("killed before call " + call + ", " + calls.get(call - 1));
            }
        }
    }

    /// What is not there, or not yet, is said so, and no vault is made for it.
    void missing() throws Exception {
        Machine other = new Machine(Path.of("/mnt/missing"));
        String kind = origin.substring(0, origin.indexOf(':') + 1);
        other.varve("archive", kind + "nowhere/da-ta").expect(ExitCode.NOT_FOUND).says("nowhere: there is no such volume group");
        other.varve("archive", kind + group + "/none").expect(ExitCode.NOT_FOUND).says(group + "/none: there is no such logical volume");
        equal(false, Files.exists(other.vault), "vault");
    }

    private List<String> untidy() throws Exception {
        return Arrays.stream(run("lvs", "-a", "--noheadings", "-o", "lv_tags", group).split("[,\\s]+"))
                .filter(tag -> tag.startsWith("varve.metadata"))
                .toList();
    }
}
