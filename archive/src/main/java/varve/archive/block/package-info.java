/// The noun: anything sized that can be read at an offset, and what can be written.
@NullMarked
package varve.archive.block;

import org.jspecify.annotations.NullMarked;
