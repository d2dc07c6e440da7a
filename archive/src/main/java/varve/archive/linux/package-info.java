/// The system calls that the JDK lacks, by the foreign-function API.
@NullMarked
package varve.archive.linux;

import org.jspecify.annotations.NullMarked;
