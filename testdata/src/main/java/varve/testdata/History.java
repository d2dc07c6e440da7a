package varve.testdata;

import java.util.List;
import java.util.stream.Collectors;

/// What a device held at several points in time. Its text form names the seed, for the message of a failing test.
///
/// @param points the oldest first
public record History(long seed, List<Point> points) {

    /// A device at one point in time.
    ///
    /// @param change what was done to the point before
    /// @param image all its bytes; not to be changed
    public record Point(String change, byte[] image) {
        @Override
        public String toString() {
            return change + " (" + image.length + " bytes)";
        }
    }

    @Override
    public String toString() {
        return "seed " + seed + ": " + points.stream().map(Point::toString).collect(Collectors.joining(", "));
    }
}
