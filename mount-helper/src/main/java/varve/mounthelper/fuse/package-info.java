/// Trees of files that programs see as a file system (FUSE), by the kernel's own protocol: `linux/fuse.h`, version 7.31 and
/// later, over `/dev/fuse`.
///
/// An [Entry] is what is served, a folder or a file, and a file is a block source. [FuseServer] mounts a tree and answers for
/// it with some threads, each of which takes a request (`Session`), and answers it.
@NullMarked
package varve.mounthelper.fuse;

import org.jspecify.annotations.NullMarked;
