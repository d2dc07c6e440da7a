/// `varve restore`.
@NullMarked
package varve.mounthelper.cli;

import org.jspecify.annotations.NullMarked;
