package varve.archive.snapshot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// The origins that varve knows how to snapshot, by their words.
public final class Origins {

    private Origins() {}

    /// {@return the origin that a word of the command line names; nothing if it names something else, such as a file}
    /// @throws IllegalArgumentException if it names one in a wrong way
    public static Optional<Origin> parse(String word, SnapshotSettings settings) {
        int colon = word.indexOf(':');
        String name = word.substring(colon + 1);
        return switch (word.substring(0, Math.max(0, colon))) {
            case "lvm" -> Optional.of(LogicalVolume.parse(name, false, settings));
            case "lvm-thin" -> Optional.of(LogicalVolume.parse(name, true, settings));
            case "drbd" -> Optional.of(DrbdResource.parse(name, settings));
            case "rbd" -> Optional.of(RbdImage.parse(name, settings));
            default -> Optional.empty();
        };
    }

    /// {@return the origin of what a manifest names as its source; nothing if that is no snapshot of ours}
    ///
    /// @param source untrusted
    public static Optional<Origin> recorded(String source, SnapshotSettings settings) {
        int at = source.indexOf('@');
        try {
            return at < 0 ? Optional.empty() : parse(source.substring(0, at), settings);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// {@return the last part of an origin's name, as a name for its history}
    public static String lastName(String word) {
        return word.substring(Math.max(word.lastIndexOf('/'), word.indexOf(':')) + 1);
    }

    /// {@return the origins that have snapshots of ours, or may have}
    ///
    /// @param sources as manifests have them, untrusted
    public static List<Origin> everywhere(Collection<String> sources, SnapshotSettings settings) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(sources);
        if (Program.has("lvs")) {
            LogicalVolume.everywhere(settings).forEach(snapshot -> all.add(snapshot.toString()));
        }
        TreeMap<String, Origin> origins = new TreeMap<>();
        for (String source : all) {
            recorded(source, settings).ifPresent(origin -> origins.putIfAbsent(origin.toString(), origin));
        }
        return List.copyOf(origins.values());
    }
}
