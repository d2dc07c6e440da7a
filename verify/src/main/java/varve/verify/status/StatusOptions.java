package varve.verify.status;

import java.time.Duration;

/// What is well. Beyond a limit is a warning; beyond twice a time, or without any copy at all, is critical.
///
/// @param maxAge of the newest good point in time
/// @param minCopies proved ones, of each point
/// @param maxUnproved how long ago the oldest proof of any byte may be
/// @param maxLock how long a job may hold a volume
public record StatusOptions(Duration maxAge, int minCopies, Duration maxUnproved, Duration maxLock) {}
