package varve.archive.format;

import org.jspecify.annotations.Nullable;

/// Numbers of 0 to 2^63 - 1 in decimal digits.
public final class Decimal {

    private static final int DIGITS = 19; // of 2^63 - 1

    private Decimal() {}

    /// @param name of the number, for the error
    /// @throws IllegalArgumentException if it is missing, or anything else
    public static long parse(String name, @Nullable String text) {
        if (text == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        long value = text.isEmpty() || text.length() > DIGITS ? -1 : 0;
        for (int i = 0; i < text.length() && value >= 0; i++) {
            value = append(value, text.charAt(i));
        }
        if (value < 0) {
            throw new IllegalArgumentException(none(name, text));
        }
        return value;
    }

    /// {@return the number in a part of an array, or less than 0 if there is none}
    public static long parse(byte[] text, int from, int to) {
        long value = from == to || to - from > DIGITS ? -1 : 0;
        for (int i = from; i < to && value >= 0; i++) {
            value = append(value, text[i]);
        }
        return value;
    }

    /// {@return the number with one more digit, or less than 0 if that is none, or it does not fit}
    private static long append(long value, int character) {
        int digit = character - '0';
        return digit < 0 || digit > 9 ? -1 : value * 10 + digit;
    }

    /// {@return what to say of a text that is no number}
    public static String none(String name, String text) {
        return name + " is \"" + text + "\", expected a number";
    }
}
