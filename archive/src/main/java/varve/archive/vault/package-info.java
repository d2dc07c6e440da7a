/// Places that hold archives: volumes, their manifests, the lock.
@NullMarked
package varve.archive.vault;

import org.jspecify.annotations.NullMarked;
