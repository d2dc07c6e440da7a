/// The commands of this module: `varve verify`, `varve hash`.
@NullMarked
package varve.verify.cli;

import org.jspecify.annotations.NullMarked;
