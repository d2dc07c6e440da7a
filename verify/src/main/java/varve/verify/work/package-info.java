/// How work is shared out over threads, in order and in bounded memory, and watched.
@NullMarked
package varve.verify.work;

import org.jspecify.annotations.NullMarked;
