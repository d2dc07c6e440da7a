/// Comparison of a point in time with the outside world: a device, or hashes that other tools took at the source.
///
/// [varve.verify.source.Outside] is what the outside says, as it was named; a [varve.verify.source.Comparison] holds it against
/// the hashes and the content of a chain, and finds where they [differ][varve.verify.source.Differences].
@NullMarked
package varve.verify.source;

import org.jspecify.annotations.NullMarked;
