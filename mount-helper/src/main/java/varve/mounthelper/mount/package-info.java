/// Points in time as files, and the file systems in them mounted.
///
/// A [VaultTree] is the vault as folders and image files, for FUSE; one of them may be written, with an overlay in front. [Mounter] mounts: it has a `Server`, a varve in the background, serve images, and
/// the system mount what is in one of them, as a `Choice` of its partitions says. What has been mounted is noted down in a
/// [RuntimeFolder], each as a [Mounted], from before the first step on, so that [Unmounter] can take down all of it.
@NullMarked
package varve.mounthelper.mount;

import org.jspecify.annotations.NullMarked;
