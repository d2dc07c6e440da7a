/// What lies where on a device: its [Partition]s, from its [PartitionTable], and what their first and last bytes say
/// that they hold, a [Signature].
@NullMarked
package varve.archive.partition;

import org.jspecify.annotations.NullMarked;
