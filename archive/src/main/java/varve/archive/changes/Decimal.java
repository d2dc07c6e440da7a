package varve.archive.changes;

import org.jspecify.annotations.Nullable;

/// Numbers of 0 to 2^63 - 1 in decimal digits.
final class Decimal {

    private Decimal() {}

    /// @param name of the number, for the error
    /// @throws IllegalArgumentException if it is missing, or anything else
    static long parse(String name, @Nullable String text) {
        if (text == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        long value = text.isEmpty() || text.length() > 19 ? -1 : 0;
        for (int i = 0; i < text.length() && value >= 0; i++) {
            int digit = text.charAt(i) - '0';
            value = digit < 0 || digit > 9 ? -1 : value * 10 + digit; // 20 digits would not fit; 19 that do not are below 0
        }
        if (value < 0) {
            throw new IllegalArgumentException(name + " is \"" + text + "\", expected a number");
        }
        return value;
    }
}
