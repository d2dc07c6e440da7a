package varve.mounthelper.mount;

import java.nio.file.Path;
import java.util.Optional;

/// What is mounted of an image, and how.
///
/// @param partition its number; if it is not said, there has to be just one with a file system
/// @param type of the file system; if it is not said, what the magic numbers say
/// @param more options of mount(8)
/// @param overlay the file that what is written goes to; if there is none, nothing is
/// @param kernelNbd whether the kernel's NBD client reads the image, instead of FUSE and a loop device
public record MountOptions(Optional<Integer> partition, Optional<String> type, Optional<String> more, Optional<Path> overlay, boolean kernelNbd) {}
