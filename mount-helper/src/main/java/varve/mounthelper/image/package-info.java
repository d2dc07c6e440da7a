/// Points in time opened for reading anywhere in them, by many readers at once.
///
/// [Images] opens them and owns what they share: the `Cache` of decoded chunks and frames, in a `Slab` of memory; the `DiskCache` of chunks for which there is
/// no room there any more; and the `Decoders`, a few threads that read archives. An [Image] is a block source like any other.
@NullMarked
package varve.mounthelper.image;

import org.jspecify.annotations.NullMarked;
