package varve.mounthelper.image;

/// Where a run of bytes of an image comes from.
///
/// @param size in bytes, at least 1
/// @param zero whether all of them are known to be zero
/// @param point the number of the point in time (`varve list` shows it) whose archive holds them; 0 if no archive does
public record Origin(long size, boolean zero, long point) {}
