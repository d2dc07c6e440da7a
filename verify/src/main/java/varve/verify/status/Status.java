package varve.verify.status;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// How everything stands that was looked at.
///
/// @param now when
/// @param options what is well
/// @param volumes in the order of their names
/// @param concerns those that are of no one volume
public record Status(Instant now, StatusOptions options, List<VolumeStatus> volumes, List<Concern> concerns) {

    /// {@return the gravest level} Nothing to look at is not well: a vault that is empty may be a disk that is not mounted.
    public Level level() {
        Level least = volumes.isEmpty() ? Level.UNKNOWN : Level.OK;
        return Stream.concat(volumes.stream().map(VolumeStatus::level), concerns.stream().map(Concern::level)).reduce(least, Level::or);
    }

    /// {@return the oldest of some time of the volumes that have it}
    public Optional<Instant> oldest(Function<VolumeStatus, Optional<Instant>> time) {
        return volumes.stream().flatMap(volume -> time.apply(volume).stream()).min(Comparator.naturalOrder());
    }

    public int leastCopies() {
        return volumes.stream().mapToInt(VolumeStatus::leastCopies).min().orElse(0);
    }

    public long damaged() {
        return volumes.stream().mapToLong(VolumeStatus::damaged).sum();
    }
}
