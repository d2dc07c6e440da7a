/// One archive on disk: the index that says what is where, the data file, and the staged writing of both.
@NullMarked
package varve.archive.file;

import org.jspecify.annotations.NullMarked;
