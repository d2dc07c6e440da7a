/// Restore: a point in time brought back to a file or a block device.
///
/// [Restoration] is the door. Behind it, a `Target` is what is written, its `Medium` the bytes of it past the page cache;
/// `Copier`s bring stretches of the image there and prove them; `Holders` and `Contents` know who uses a device and what is on it.
@NullMarked
package varve.mounthelper;

import org.jspecify.annotations.NullMarked;
