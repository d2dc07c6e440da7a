package varve.mounthelper;

import java.util.concurrent.atomic.LongAdder;

/// Bytes of the image by what was done about them. Safe for use by several threads.
final class Tally {
    /// of data chunks that were written and read back
    final LongAdder written = new LongAdder();
    /// of data chunks that the target held already
    final LongAdder kept = new LongAdder();
    /// of zero chunks
    final LongAdder zero = new LongAdder();
    /// of zero chunks, those that were made zero
    final LongAdder cleared = new LongAdder();
    /// of data chunks that are not to be had, and were made zero
    final LongAdder missing = new LongAdder();
}
