package varve.archive;

import java.util.Optional;
import java.util.random.RandomGenerator;
import varve.archive.changes.Listing;

/// A change list to be believed, and how far.
///
/// @param source of the list
/// @param since the point in time that it starts from, as in `VOLUME@POINT`; empty if the list says so itself
/// @param sample which part of the chunks that the list calls unchanged is read and compared, drawn anew each time: 0 to 1
/// @param stripeDays in how many days the audit goes once around the device, whatever is drawn: at least 1
/// @param random draws the sample
public record ListedChanges(Listing source, Optional<String> since, double sample, int stripeDays, RandomGenerator random) {

    public static final double DEFAULT_SAMPLE = 0.004;
    public static final int DEFAULT_STRIPE_DAYS = 200;

    public ListedChanges {
        if (!(sample >= 0 && sample <= 1) || stripeDays < 1) {
            throw new IllegalArgumentException("a sample of " + sample + ", a stripe of " + stripeDays + " days");
        }
    }
}
