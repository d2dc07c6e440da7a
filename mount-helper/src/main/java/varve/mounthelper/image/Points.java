package varve.mounthelper.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// The points in time of a vault, looked up by name again and again: the manifests of a volume are read when they are first
/// needed, and again when its folder has changed.
///
/// Safe for use by several threads.
public final class Points {

    /// how long a folder has to have been left alone before its time of change is believed to change with the next one
    private static final Duration TICK = Duration.ofSeconds(2);

    private final Vault vault;
    private final Clock clock;
    private final Map<String, Known> volumes = new ConcurrentHashMap<>();

    private record Known(Volume.Content content, FileTime changed) {}

    /// @param clock that the file system of the vault goes by
    public Points(Vault vault, Clock clock) {
        this.vault = vault;
        this.clock = clock;
    }

    public Vault vault() {
        return vault;
    }

    /// {@return all points of a volume, the oldest first}
    public List<FoundPoint> of(String volume) throws IOException {
        Volume place = vault.volume(volume);
        Volume.Content content = read(volume);
        return content.history().archives().stream()
                .map(archive -> new FoundPoint(place, content.history(), archive, content.problems()))
                .toList();
    }

    private Volume.Content read(String name) throws IOException {
        Volume volume = vault.volume(name);
        Known known = volumes.get(name);
        if (known != null && volume.exists() && Files.getLastModifiedTime(volume.folder()).equals(known.changed)) {
            return known.content;
        }
        FileTime changed = volume.exists() ? Files.getLastModifiedTime(volume.folder()) : FileTime.fromMillis(0);
        boolean settled = changed.toInstant().plus(TICK).isBefore(clock.instant());
        Volume.Content content = volume.read();
        if (settled) {
            volumes.put(name, new Known(content, changed));
        } else {
            volumes.remove(name);
        }
        return content;
    }

    /// Looks up a point.
    ///
    /// @throws varve.archive.vault.NotFoundException if there is no such volume or point
    public FoundPoint find(PointName name) throws IOException {
        return FoundPoint.find(vault.volume(name.volume()), read(name.volume()), name);
    }
}
