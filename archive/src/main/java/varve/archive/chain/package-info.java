/// Several archives as one history: states, points in time, and the device as it was at one of them.
@NullMarked
package varve.archive.chain;

import org.jspecify.annotations.NullMarked;
