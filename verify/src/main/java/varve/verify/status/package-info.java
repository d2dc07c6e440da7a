/// How a vault stands, for monitoring: the result, not the activity.
///
/// A [varve.verify.status.Survey] looks at manifests, receipts, inventories, locks and leftovers, reads no data file, and makes a
/// [varve.verify.status.VolumeStatus] of each volume: numbers, and a [varve.verify.status.Concern] for each thing that is not as it should be.
@NullMarked
package varve.verify.status;

import org.jspecify.annotations.NullMarked;
