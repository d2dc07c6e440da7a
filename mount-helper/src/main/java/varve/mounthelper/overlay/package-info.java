/// Writable views: a point in time with what was written on top of it, in a file of its own.
///
/// [Overlay] is the view, a block target. Behind it, an `OverlayFile` is what is on disk: an `OverlayHeader` that binds it to a
/// state of a device, the rows of a `BlockTable`, and the blocks.
@NullMarked
package varve.mounthelper.overlay;

import org.jspecify.annotations.NullMarked;
