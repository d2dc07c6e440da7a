/// Which points in time a policy keeps, and why: pure calendar arithmetic that knows nothing of archives. A *moment* is the
/// number and time of a point, a *period* a day, week, month or year in the policy's time zone.
@NullMarked
package varve.archive.retention;

import org.jspecify.annotations.NullMarked;
