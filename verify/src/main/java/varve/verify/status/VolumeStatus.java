package varve.verify.status;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// How one volume stands.
///
/// @param points that have a manifest
/// @param newest time of the newest point that can be had from proved copies; empty if none can
/// @param leastCopies proved copies of the point that has the fewest
/// @param unproved when the byte was last proved that was not for the longest time, in any vault whose copies count; of one that never
/// was, when it was recorded; empty if there are no data files
/// @param damaged bytes that are known to be damaged in the vaults at hand
/// @param lockedSince since when a job is at work
/// @param leftovers files that jobs left behind
/// @param concerns the gravest first
public record VolumeStatus(
        String volume, int points, Optional<Instant> newest, int leastCopies, Optional<Instant> unproved, long damaged,
        Optional<Instant> lockedSince, int leftovers, List<Concern> concerns) {

    public VolumeStatus {
        concerns = concerns.stream().sorted((a, b) -> b.level().compareTo(a.level())).toList();
    }

    public Level level() {
        return concerns.stream().map(Concern::level).reduce(Level.OK, Level::or);
    }
}
