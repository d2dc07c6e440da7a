package varve.archive.block;

/// A run of bytes of a source of which one thing is known.
///
/// @param size in bytes, at least 1
/// @param zero whether all of them are zero; if not, they may be anything
public record Run(long size, boolean zero) {}
