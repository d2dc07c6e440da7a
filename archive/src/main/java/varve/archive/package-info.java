/// The verbs: what varve does, without the command line.
@NullMarked
package varve.archive;

import org.jspecify.annotations.NullMarked;
