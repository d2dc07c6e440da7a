/// Points in time as files, and the file systems in them mounted.
///
/// A [VaultTree] is the vault as folders and image files, for FUSE.
@NullMarked
package varve.mounthelper.mount;

import org.jspecify.annotations.NullMarked;
