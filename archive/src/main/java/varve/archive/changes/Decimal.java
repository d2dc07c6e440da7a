package varve.archive.changes;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Numbers of 0 to 2^63 - 1 in decimal digits.
final class Decimal {

    private static final int DIGITS = 19; // of 2^63 - 1

    private Decimal() {}

    /// @param name of the number, for the error
    /// @throws IllegalArgumentException if it is missing, or anything else
    static long parse(String name, @Nullable String text) {
        if (text == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long value = parse(bytes, 0, bytes.length);
        if (value < 0) {
            throw new IllegalArgumentException(none(name, text));
        }
        return value;
    }

    /// {@return the number in a part of an array, or -1 if there is none}
    static long parse(byte[] text, int from, int to) {
        if (from == to || to - from > DIGITS) {
            return -1;
        }
        long value = 0;
        for (int i = from; i < to; i++) {
            int digit = text[i] - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return value < 0 ? -1 : value; // what has so many digits and does not fit is below 0
    }

    /// {@return what to say of a text that is no number}
    static String none(String name, String text) {
        return name + " is \"" + text + "\", expected a number";
    }
}
