package varve.archive;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import varve.archive.block.BlockSource;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.snapshot.Origin;
import varve.archive.snapshot.Origins;
import varve.archive.snapshot.Snapshot;
import varve.archive.snapshot.SnapshotSettings;
import varve.archive.vault.Vault;

/// The proof that a point in time is what its source holds: all of the source is read and hashed, whatever lists of changes the deltas up to
/// the point came from.
public final class SourceProof {

    /// The word for the snapshot that the point was made from and that varve has kept.
    public static final String KEPT = "kept";

    private final Vault vault;
    private final String volume;
    private final int threads;
    private final Consumer<String> warnings;

    public SourceProof(Vault vault, String volume, int threads, Consumer<String> warnings) {
        this.vault = vault;
        this.volume = volume;
        this.threads = threads;
        this.warnings = warnings;
    }

    /// Reads a source.
    ///
    /// @param source a device, an image, or [#KEPT]
    /// @param progress gets the bytes that are done
    /// @throws RefusedException if it is not what the point says, or there is no such snapshot
    public void check(Point point, String source, LongConsumer progress) throws IOException, InterruptedException {
        try (BlockSource opened = source.equals(KEPT) ? kept(point) : FileDevice.open(Path.of(source))) {
            ArchiveOptions reading = new ArchiveOptions(
                    false, ArchiveOptions.DEFAULT_LEVEL, OptionalInt.empty(), threads, 0, false, Optional.empty(), true);
            State found = new Archiver(vault, volume, reading, InstantSource.system(), progress, warnings).archive(opened, Duration.ZERO).state();
            if (!found.equals(point.state())) {
                throw new RefusedException(opened.name() + ": is not what " + name(point) + " says: expected root " + point.state().root() + " and "
                        + point.state().size() + " bytes, found " + found.root() + " and " + found.size()
                        + "; if it has not changed since, a list of changes was wrong: archive it once more without one");
            }
        }
    }

    private String name(Point point) {
        return volume + "@" + Manifest.text(point.manifest().time());
    }

    private BlockSource kept(Point point) throws IOException, InterruptedException {
        String source = point.manifest().source();
        Optional<Origin> origin = Origins.recorded(source, SnapshotSettings.DEFAULTS);
        if (origin.isPresent()) {
            for (Snapshot snapshot : origin.get().snapshots()) {
                if (snapshot.toString().equals(source)) {
                    return origin.get().open(snapshot);
                }
            }
        }
        throw new RefusedException(name(point) + ": was made from " + source + ", and no snapshot of that name is kept; name a device or an image that holds"
                + " what it should be");
    }
}
