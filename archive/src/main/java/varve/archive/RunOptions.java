package varve.archive;

import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import varve.archive.snapshot.Hooks;

/// What goes around an archive.
///
/// @param hooks what the operator wants done
/// @param said gets each line that they print
/// @param sample as in [ListedChanges], for a list that the run makes itself
/// @param stripeDays likewise
/// @param random likewise
public record RunOptions(Hooks hooks, Consumer<String> said, double sample, int stripeDays, RandomGenerator random) {}
