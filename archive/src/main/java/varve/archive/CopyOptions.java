package varve.archive;

import java.util.List;

/// How to copy.
///
/// @param points to be restorable there, as a user names them behind the `@`; none means all that are restorable here
/// @param bytesPerSecond read at most so many, 0 for no limit
public record CopyOptions(List<String> points, long bytesPerSecond) {}
