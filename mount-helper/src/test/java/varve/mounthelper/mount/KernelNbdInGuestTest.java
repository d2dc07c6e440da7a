package varve.mounthelper.mount;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.Main;
import varve.mounthelper.Scene;
import varve.testdata.Guest;
import varve.testdata.Images;

/// `varve mount --kernel-nbd` with the client of a real kernel: User Mode Linux, which has the module.
final class KernelNbdInGuestTest {

    private static final int LIMIT_SECONDS = Integer.getInteger("varve.test.guestLimit", 900);

    @TempDir
    Path job;

    @Test
    void theKernelsClientMountsWritesAndIsCleanedUpAfterAKill() throws Exception {
        String missing = Guest.missing("nbd-client", "mke2fs", "pgrep");
        Assumptions.assumeTrue(missing.isEmpty(), "needs " + missing);
        Path content = Files.createDirectories(job.resolve("content"));
        Files.write(content.resolve("file"), Images.noise(1, 3_000_000));
        Scene scene = new Scene(job);
        Scene.run("mke2fs", "-q", "-t", "ext4", "-d", content.toString(), job.resolve("disk.img").toString(), "16M");
        scene.archive(Files.readAllBytes(job.resolve("disk.img")));
        Guest.run(job, 1, 1 << 20, LIMIT_SECONDS, """
                set -eux
                export VARVE_RUNTIME=/run/varve VARVE_VAULT=/mnt/job/vault
                varve() {
                    %s "$@"
                }
                nothing_is_left() {
                    if grep /mnt/place /proc/mounts || ls /sys/block/nbd*/pid || pgrep -f varve.archive.cli.Main; then exit 1; fi
                    [ -z "$(ls /run/varve/mounts)" ]
                }
                mkdir /mnt/place
                varve mount tools /mnt/place --kernel-nbd
                grep '^/dev/nbd[0-9]* /mnt/place ext4 ro,' /proc/mounts
                cmp content/file /mnt/place/file
                varve umount /mnt/place
                nothing_is_left

                varve mount tools /mnt/place --kernel-nbd --writable /mnt/tmp/overlay
                cp content/file /mnt/place/new
                sync
                pkill -KILL -f 'varve.archive.cli.Main serve'
                varve umount --all
                nothing_is_left
                varve mount tools /mnt/place --kernel-nbd --writable /mnt/tmp/overlay
                cmp content/file /mnt/place/new
                varve umount /mnt/place
                nothing_is_left
                """.formatted(Guest.command(Main.class)));
    }
}
