package varve.archive.vault;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Parts of a file: ranges of bytes that ascend and do not touch each other.
public record Ranges(List<Range> list) {

    public static final Ranges NONE = new Ranges(List.of());

    /// @param from position of the first byte
    /// @param to position behind the last
    public record Range(long from, long to) {
        public Range {
            if (from < 0 || to <= from) {
                throw new IllegalArgumentException("a range from " + from + " to " + to);
            }
        }

        public long size() {
            return to - from;
        }
    }

    /// @throws IllegalArgumentException unless they ascend and do not touch
    public Ranges {
        list = List.copyOf(list);
        for (int i = 1; i < list.size(); i++) {
            if (list.get(i).from <= list.get(i - 1).to) {
                throw new IllegalArgumentException("ranges that touch or do not ascend at " + list.get(i).from);
            }
        }
    }

    /// {@return one range, or none if it is empty}
    public static Ranges of(long from, long to) {
        return from == to ? NONE : new Ranges(List.of(new Range(from, to)));
    }

    /// {@return what ranges in any order, touching or not, cover together}
    public static Ranges union(List<Range> any) {
        List<Range> sorted = new ArrayList<>(any);
        sorted.sort(Comparator.comparingLong(Range::from));
        List<Range> merged = new ArrayList<>();
        for (Range range : sorted) {
            if (!merged.isEmpty() && range.from <= merged.getLast().to) {
                Range last = merged.removeLast();
                merged.add(new Range(last.from, Math.max(last.to, range.to)));
            } else {
                merged.add(range);
            }
        }
        return new Ranges(merged);
    }

    /// Collects ranges that ascend; those that touch become one.
    public static final class Builder {

        private static final int MOST = 16 * Receipt.MAX_RANGES;

        private final List<Range> list = new ArrayList<>();
        private final boolean shorten;

        /// @param shorten whether short ranges may be left out when there are very many
        public Builder(boolean shorten) {
            this.shorten = shorten;
        }

        /// @param to not before `from`; an empty range adds nothing
        public Builder add(long from, long to) {
            if (from == to) {
                return this;
            }
            if (!list.isEmpty() && from <= list.getLast().to) {
                Range last = list.removeLast();
                list.add(new Range(last.from, Math.max(last.to, to)));
                return this;
            }
            if (shorten && list.size() >= MOST) {
                List<Range> longest = union(list).longest(MOST / 2).list;
                list.clear();
                list.addAll(longest);
            }
            list.add(new Range(from, to));
            return this;
        }

        public Ranges build() {
            return union(list);
        }
    }

    public Ranges plus(Ranges other) {
        if (list.isEmpty() || other.list.isEmpty()) {
            return list.isEmpty() ? other : this;
        }
        List<Range> all = new ArrayList<>(list);
        all.addAll(other.list);
        return union(all);
    }

    /// {@return what of these is not in `other`}
    public Ranges minus(Ranges other) {
        List<Range> rest = new ArrayList<>();
        int next = 0;
        for (Range range : list) {
            long from = range.from;
            while (next < other.list.size() && other.list.get(next).to <= from) {
                next++;
            }
            for (int i = next; i < other.list.size() && other.list.get(i).from < range.to && from < range.to; i++) {
                if (other.list.get(i).from > from) {
                    rest.add(new Range(from, other.list.get(i).from));
                }
                from = Math.max(from, other.list.get(i).to);
            }
            if (from < range.to) {
                rest.add(new Range(from, range.to));
            }
        }
        return new Ranges(rest);
    }

    /// {@return what is in these and in `other`}
    public Ranges and(Ranges other) {
        return minus(minus(other));
    }

    public boolean isEmpty() {
        return list.isEmpty();
    }

    /// {@return bytes in all of them}
    public long size() {
        return list.stream().mapToLong(Range::size).sum();
    }

    /// {@return the position behind the last, 0 if there is none}
    public long end() {
        return list.isEmpty() ? 0 : list.getLast().to;
    }

    /// {@return the `most` longest: who claims less claims nothing wrong}
    Ranges longest(int most) {
        if (list.size() <= most) {
            return this;
        }
        List<Range> longest = new ArrayList<>(list);
        longest.sort(Comparator.comparingLong(Range::size).reversed());
        return union(longest.subList(0, most));
    }

    /// {@return at most `most` ranges that cover all of these, and the smallest gaps between them}
    Ranges covering(int most) {
        if (list.size() <= most) {
            return this;
        }
        List<Range> gaps = new ArrayList<>();
        for (int i = 1; i < list.size(); i++) {
            gaps.add(new Range(list.get(i - 1).to, list.get(i).from));
        }
        gaps.sort(Comparator.comparingLong(Range::size));
        List<Range> all = new ArrayList<>(list);
        all.addAll(gaps.subList(0, list.size() - most));
        return union(all);
    }
}
