package varve.archive.vault;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A set of numbers of points in time, as text `2-6 8 10-13`: ranges from 1 up, ascending, as few as can be. It takes memory by its
/// ranges, not by its numbers.
///
/// Immutable.
public final class Numbers {

    public static final Numbers NONE = new Numbers(new TreeMap<>());

    private static final Pattern RANGE = Pattern.compile("([1-9]\\d{0,17})(?:-([1-9]\\d{0,17}))?");

    private final NavigableMap<Long, Long> lasts; // by the first number of the range

    /// Numbers that follow each other.
    public record Range(long first, long last) {
        @Override
        public String toString() {
            return first == last ? String.valueOf(first) : first + "-" + last;
        }
    }

    private Numbers(NavigableMap<Long, Long> lasts) {
        this.lasts = lasts;
    }

    /// @throws IllegalArgumentException if it is none, or not in its one form
    public static Numbers parse(String text) {
        NavigableMap<Long, Long> lasts = new TreeMap<>();
        for (String range : text.isEmpty() ? new String[0] : text.split(" ", -1)) {
            Matcher matcher = RANGE.matcher(range);
            if (!matcher.matches()) {
                throw new IllegalArgumentException("'" + range + "' is no range of numbers");
            }
            long first = Long.parseLong(matcher.group(1));
            lasts.put(first, matcher.group(2) == null ? first : Long.parseLong(matcher.group(2)));
        }
        long before = -1;
        for (Range range : new Numbers(lasts).ranges()) {
            if (range.first <= before + 1 || range.last < range.first) {
                throw new IllegalArgumentException("numbers not in order at " + range);
            }
            before = range.last;
        }
        Numbers numbers = new Numbers(lasts);
        if (!numbers.toString().equals(text)) {
            throw new IllegalArgumentException("numbers not in their one form");
        }
        return numbers;
    }

    public boolean contains(long number) {
        var range = lasts.floorEntry(number);
        return range != null && number <= range.getValue();
    }

    /// {@return these and one more}
    public Numbers with(long number) {
        if (contains(number)) {
            return this;
        }
        NavigableMap<Long, Long> more = new TreeMap<>(lasts);
        long first = contains(number - 1) ? lasts.floorKey(number - 1) : number;
        Long after = more.remove(number + 1);
        more.put(first, after == null ? number : after);
        return new Numbers(more);
    }

    /// {@return these without one}
    public Numbers without(long number) {
        if (!contains(number)) {
            return this;
        }
        NavigableMap<Long, Long> fewer = new TreeMap<>(lasts);
        long first = lasts.floorKey(number);
        long last = fewer.remove(first);
        if (first < number) {
            fewer.put(first, number - 1);
        }
        if (number < last) {
            fewer.put(number + 1, last);
        }
        return new Numbers(fewer);
    }

    /// {@return these and others}
    public Numbers with(Numbers others) {
        List<Range> all = new ArrayList<>(ranges());
        all.addAll(others.ranges());
        all.sort(Comparator.comparingLong(Range::first));
        NavigableMap<Long, Long> joined = new TreeMap<>();
        for (Range range : all) {
            var before = joined.lastEntry();
            boolean apart = before == null || before.getValue() < range.first - 1;
            joined.merge(apart ? range.first : before.getKey(), range.last, Math::max);
        }
        return new Numbers(joined);
    }

    /// {@return these without others}
    public Numbers without(Numbers others) {
        NavigableMap<Long, Long> left = new TreeMap<>();
        for (Range range : ranges()) {
            others.missing(range.first, range.last).forEach(part -> left.put(part.first, part.last));
        }
        return new Numbers(left);
    }

    /// {@return the numbers from one to another that are not among these}
    public List<Range> missing(long first, long last) {
        List<Range> missing = new ArrayList<>();
        long next = first;
        for (Range range : ranges()) {
            if (range.first > next && next <= last) {
                missing.add(new Range(next, Math.min(last, range.first - 1)));
            }
            next = Math.max(next, range.last + 1);
        }
        if (next <= last) {
            missing.add(new Range(next, last));
        }
        return missing;
    }

    public List<Range> ranges() {
        return lasts.entrySet().stream().map(range -> new Range(range.getKey(), range.getValue())).toList();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Numbers numbers && lasts.equals(numbers.lasts);
    }

    @Override
    public int hashCode() {
        return lasts.hashCode();
    }

    /// {@return what [#parse] reads}
    @Override
    public String toString() {
        return ranges().stream().map(Range::toString).collect(Collectors.joining(" "));
    }
}
