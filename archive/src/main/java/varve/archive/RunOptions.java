package varve.archive;

import java.util.random.RandomGenerator;
import varve.archive.snapshot.Hooks;

/// What goes around an archive.
///
/// @param hooks what the operator wants done
/// @param sample as in [ListedChanges], for a list that the run makes itself
/// @param stripeDays likewise
/// @param random likewise
public record RunOptions(Hooks hooks, double sample, int stripeDays, RandomGenerator random) {}
