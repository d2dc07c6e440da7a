package varve.archive.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Lengths of time as people write them, each of its units always as long: `45s`, `90min`, `2h`, `30d`, `1d12h`, `8w`.
///
/// There is no `m`: it could be minutes or months.
public final class Lapse {

    private static final Pattern TEXT = Pattern.compile("(?=.)(?:(\\d{1,6})w)?(?:(\\d{1,6})d)?(?:(\\d{1,6})h)?(?:(\\d{1,6})min)?(?:(\\d{1,9})s)?");
    private static final long[] SECONDS = {7 * 86_400, 86_400, 3_600, 60, 1};

    private Lapse() {}

    /// @throws IllegalArgumentException if it is none, or empty
    public static Duration parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no length of time: expected such as 2h, 90min, 30d or 1d12h");
        }
        long seconds = 0;
        for (int unit = 0; unit < SECONDS.length; unit++) {
            seconds += matcher.group(unit + 1) == null ? 0 : Long.parseLong(matcher.group(unit + 1)) * SECONDS[unit];
        }
        if (seconds == 0) {
            throw new IllegalArgumentException("'" + text + "': expected a length of time above 0");
        }
        return Duration.ofSeconds(seconds);
    }

    /// {@return whether a text can only be meant to be a length of time}
    public static boolean is(String text) {
        return TEXT.matcher(text).matches();
    }

    /// {@return a length of time for people, in its largest unit: `40 s`, `90 min`, `22 h`, `12 d`} It is rounded down: nothing is said
    /// to have lasted longer than it did.
    public static String format(Duration time) {
        if (time.isNegative()) {
            return "-" + format(time.negated());
        }
        long seconds = time.toSeconds();
        if (seconds < 120) {
            return seconds + " s";
        }
        if (seconds < 2 * 3_600) {
            return seconds / 60 + " min";
        }
        return seconds < 2 * 86_400 ? seconds / 3_600 + " h" : seconds / 86_400 + " d";
    }

    /// For options of picocli: `converter = Lapse.Converter.class`.
    public static final class Converter implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
