package varve.mounthelper.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// The points in time of some vaults, looked up by name again and again: the manifests of a volume are read when they are first
/// needed, and again when one of its folders has changed.
///
/// Safe for use by several threads.
public final class Points {

    /// how long a folder has to have been left alone for its next change to be sure to show in its time
    private static final Duration TICK = Duration.ofSeconds(2);

    private final List<Vault> vaults;
    private final Clock clock;
    private final Map<String, Known> volumes = new ConcurrentHashMap<>();

    /// @param changed when each of the folders did
    private record Known(Volume.Content content, List<FileTime> changed) {}

    /// @param clock that the vaults' file systems go by
    public Points(List<Vault> vaults, Clock clock) {
        this.vaults = vaults;
        this.clock = clock;
    }

    /// {@return the names of all volumes, sorted}
    public List<String> volumes() throws IOException {
        TreeSet<String> names = new TreeSet<>();
        for (Vault vault : vaults) {
            names.addAll(vault.volumes());
        }
        return List.copyOf(names);
    }

    /// {@return all points of a volume, the oldest first}
    public List<FoundPoint> of(String volume) throws IOException {
        Volume first = vaults.getFirst().volume(volume);
        Volume.Content content = read(volume);
        return content.history().points().stream()
                .map(point -> new FoundPoint(vaults, first, content.history(), point, content.problems()))
                .toList();
    }

    /// Looks up a point.
    ///
    /// @throws varve.archive.vault.NotFoundException if there is no such volume or point
    public FoundPoint find(PointName name) throws IOException {
        Volume first = vaults.getFirst().volume(name.volume());
        return FoundPoint.find(vaults, first, read(name.volume()), name);
    }

    private Volume.Content read(String name) throws IOException {
        List<Volume> places = new ArrayList<>();
        for (Vault vault : vaults) {
            places.add(vault.volume(name));
        }
        List<FileTime> changed = changed(places);
        Known known = volumes.get(name);
        if (known != null && known.changed.equals(changed)) {
            return known.content;
        }
        Instant settled = clock.instant().minus(TICK);
        Volume.Content content = Volume.together(places);
        if (changed.stream().allMatch(time -> time.toInstant().isBefore(settled))) {
            volumes.put(name, new Known(content, changed));
        } else {
            volumes.remove(name);
        }
        return content;
    }

    private static List<FileTime> changed(List<Volume> places) throws IOException {
        List<FileTime> changed = new ArrayList<>();
        for (Volume place : places) {
            changed.add(place.exists() ? Files.getLastModifiedTime(place.folder()) : FileTime.fromMillis(0));
        }
        return changed;
    }
}
