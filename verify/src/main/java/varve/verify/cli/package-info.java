/// The commands of this module: `varve verify`, `heal`, `hash`, `status`, `audit`.
@NullMarked
package varve.verify.cli;

import org.jspecify.annotations.NullMarked;
