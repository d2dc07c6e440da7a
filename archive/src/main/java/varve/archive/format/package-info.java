/// The records of FORMAT.md, bytes in and values out; no I/O, no clock.
@NullMarked
package varve.archive.format;

import org.jspecify.annotations.NullMarked;
