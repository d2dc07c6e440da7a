package varve.verify;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import varve.archive.file.StoredArchive;

/// Which archives cannot be relied on, how bad that is, and which files are at fault.
final class Obstacles {

    private final Map<StoredArchive, Obstacle> obstacles = new LinkedHashMap<>();

    private record Obstacle(Severity severity, Set<String> files) {}

    void add(StoredArchive archive, Severity severity, String file) {
        obstacles.merge(archive, new Obstacle(severity, new TreeSet<>(Set.of(file))), (old, more) -> {
            old.files.addAll(more.files);
            return new Obstacle(severity.compareTo(old.severity) > 0 ? severity : old.severity, old.files);
        });
    }

    void remove(StoredArchive archive) {
        obstacles.remove(archive);
    }

    boolean none(StoredArchive archive) {
        return !obstacles.containsKey(archive);
    }

    /// {@return the worst of what stands in the way on a path}
    Severity worst(Collection<StoredArchive> path) {
        return path.stream()
                .filter(obstacles::containsKey)
                .map(archive -> obstacles.get(archive).severity)
                .max(Severity::compareTo)
                .orElse(Severity.NOTE);
    }

    /// {@return the files at fault on a path}
    List<String> files(Collection<StoredArchive> path) {
        return path.stream()
                .filter(obstacles::containsKey)
                .flatMap(archive -> obstacles.get(archive).files.stream())
                .distinct()
                .toList();
    }
}
