package varve.verify;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import varve.archive.vault.Depth;

/// How to patrol.
///
/// @param budget what it may cost
/// @param maxAge what was looked at within that time is left alone; empty if nothing is
/// @param step how much time may pass before what was proved is written down: what a kill can cost
/// @param proof how to prove: stored or content
public record PatrolOptions(Budget budget, Optional<Duration> maxAge, Duration step, VerifyOptions proof) {

    /// What a run may cost.
    ///
    /// @param time that may pass until the last piece of work begins
    /// @param bytes of data files that may be proved; what has to be read besides (tables, and what a delta applies to) does not count
    public record Budget(Optional<Duration> time, OptionalLong bytes) {

        public static final Budget NONE = new Budget(Optional.empty(), OptionalLong.empty());

        public static Budget of(Duration time) {
            return new Budget(Optional.of(time), OptionalLong.empty());
        }

        public static Budget of(long bytes) {
            return new Budget(Optional.empty(), OptionalLong.of(bytes));
        }
    }

    public PatrolOptions {
        if (proof.depth() != Depth.STORED && proof.depth() != Depth.CONTENT) {
            throw new IllegalArgumentException("coverage is of bytes: stored or content, not " + proof.depth());
        }
    }
}
