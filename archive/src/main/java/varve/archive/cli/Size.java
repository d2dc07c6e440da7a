package varve.archive.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Sizes in bytes as people write them: `512`, `64K`, `1M`, `2GiB`, in powers of 1024; rates with or without `/s`.
public final class Size {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,18})\\s?([KMGTPE]?)(i?B)?");
    private static final String UNITS = "KMGTPE";

    private Size() {}

    /// @throws IllegalArgumentException if it is none, or 8 EiB or more
    public static long parse(String text) {
        Matcher matcher = TEXT.matcher(text.strip().toUpperCase(Locale.ROOT).replace("IB", "iB"));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no size: expected such as 512, 64K, 1M or 2G");
        }
        long number = Long.parseLong(matcher.group(1));
        int shift = 10 * (UNITS.indexOf(matcher.group(2)) + 1);
        if (matcher.group(2).isEmpty()) {
            shift = 0;
        }
        if (number > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException("'" + text + "' is too large: at most 8 EiB");
        }
        return number << shift;
    }

    /// {@return a size for people: `512 B`, `1.5 MiB`}
    public static String format(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 1023.95) { // what would be rounded to 1024.0
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %ciB", value, UNITS.charAt(unit));
    }

    /// For options of picocli: `converter = Size.Bytes.class`.
    public static final class Bytes implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    /// For options of picocli, bytes per second: `converter = Size.Rate.class`.
    public static final class Rate implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return new Bytes().convert(text.endsWith("/s") ? text.substring(0, text.length() - 2) : text);
        }
    }
}
