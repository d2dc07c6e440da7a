package varve.archive.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import varve.archive.snapshot.SnapshotSettings;

/// How snapshots are taken: options of `varve archive`.
final class SnapshotOptions {

    private static final long MOST = Duration.ofDays(7).toSeconds();

    @Option(names = "--snapshot-size", paramLabel = "SIZE",
            description = "Of lvm: room for what is written to the origin while the snapshot is there, such as 20G or 30%% of it. Default: 20%%.")
    private @Nullable String size;

    @Option(names = "--disconnect", description = "Of drbd: stop the replication while the snapshot is taken, and start it again.")
    private boolean disconnect;

    @Option(names = "--tool-timeout", paramLabel = "SECONDS",
            description = "How long lvcreate, thin_delta, rbd, drbdadm and the like may take, each. Default: 900.")
    private long timeout = SnapshotSettings.DEFAULTS.limit().toSeconds();

    SnapshotSettings read() {
        return new SnapshotSettings(size == null ? SnapshotSettings.DEFAULTS.storeSize() : store(size), disconnect, seconds("--tool-timeout", timeout));
    }

    static Duration seconds(String option, long seconds) {
        if (seconds < 1 || seconds > MOST) {
            throw new UsageException(option + " " + seconds + ": expected 1 to " + MOST);
        }
        return Duration.ofSeconds(seconds);
    }

    private static String store(String size) {
        if (size.matches("[1-9][0-9]{0,2}%")) {
            return size + "ORIGIN";
        }
        try {
            long bytes = Size.parse(size);
            if (bytes > 0) {
                return bytes + "b";
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new UsageException("--snapshot-size " + size + ": expected a size such as 20G, or 1% to 999% of the origin");
    }
}
