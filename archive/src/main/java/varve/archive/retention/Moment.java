package varve.archive.retention;

import java.time.Instant;

/// What a policy looks at of a point in time.
///
/// @param number of the point in its volume: the order in which points were recorded, whatever the clock said
/// @param time that the clock said
public record Moment(long number, Instant time) {}
