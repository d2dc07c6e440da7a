package varve.archive.retention;

import java.time.Instant;
import java.time.ZoneId;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A length of time as people count it: `1y6m14d12h`, in this order, what is 0 left out. Years, months and days are those
/// of the calendar, hours are 3,600 seconds.
public record Span(int years, int months, int days, int hours) {

    private static final int MAX = 9999;
    private static final Pattern TEXT = Pattern.compile("(?=.)(?:(\\d{1,4})y)?(?:(\\d{1,4})m)?(?:(\\d{1,4})d)?(?:(\\d{1,4})h)?");

    public Span {
        for (int part : new int[] {years, months, days, hours}) {
            if (part < 0 || part > MAX) {
                throw new IllegalArgumentException("a span has parts of 0 to " + MAX + ", found " + part);
            }
        }
        if (years + months + days + hours == 0) {
            throw new IllegalArgumentException("a span is not empty");
        }
    }

    /// @throws IllegalArgumentException if it is none
    public static Span parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no span of time: expected such as 30d, 12h, 2m or 1y6m");
        }
        return new Span(part(matcher, 1), part(matcher, 2), part(matcher, 3), part(matcher, 4));
    }

    private static int part(Matcher matcher, int group) {
        return matcher.group(group) == null ? 0 : Integer.parseInt(matcher.group(group));
    }

    /// {@return the time that lies so long before another}
    Instant before(Instant end, ZoneId zone) {
        return end.atZone(zone).minusYears(years).minusMonths(months).minusDays(days).minusHours(hours).toInstant();
    }

    /// {@return what [#parse] reads}
    @Override
    public String toString() {
        return part(years, "y") + part(months, "m") + part(days, "d") + part(hours, "h");
    }

    private static String part(int number, String unit) {
        return number == 0 ? "" : number + unit;
    }
}
