package varve.archive.retention;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// A policy: which points in time of a volume are kept. A point is kept if one of the options keeps it.
///
/// | option | keeps |
/// |---|---|
/// | last *n* | the newest *n* points |
/// | within *span* | all that are no older than that when the latest is looked back from (as in restic) |
/// | daily *n* | the newest point of each of *n* days that have any; weekly, monthly, yearly alike |
///
/// The options take their turn in this order. A period in which an earlier one keeps a point is not counted, as in Proxmox Backup
/// Server, and yet its newest point is kept, as in restic: so all is kept that one of the two would keep. Periods without a point are
/// not counted either, so that a device that is switched off for a month loses nothing. The latest point is always kept.
///
/// **Clocks are set.** Points are ordered by their number. Where their times are not in that order, a clock was wrong, and
/// which points are of the same day is not known; then more is kept and not less, and what shows that a clock was wrong is kept as
/// well, so that the next run decides alike:
///
/// - A period is counted only if it lies before the periods of all newer points. Others are kept as well, but use nothing up; so a
///   clock that goes to and fro over midnight does not use up a week of days.
/// - A period ends where the clock went back within it, so that a day that was lived twice is two days.
/// - What is *within* is all since the oldest point that is within by its time, and the points before that whose time
///   cannot be true: after the latest, or before that of a point older than themselves.
/// - The latest point's time is not believed if it is later than now: the span is then counted from now.
///
/// @param last 0 if that is no option of this policy; so with the others
/// @param zone of the calendar
public record Retention(int last, Optional<Span> within, int daily, int weekly, int monthly, int yearly, ZoneId zone) {

    /// the largest number of an option
    public static final int MAX = 1_000_000;

    public Retention {
        for (int number : new int[] {last, daily, weekly, monthly, yearly}) {
            if (number < 0 || number > MAX) {
                throw new IllegalArgumentException("expected 1 to " + MAX + " points to keep, found " + number);
            }
        }
        if (last + daily + weekly + monthly + yearly == 0 && within.isEmpty()) {
            throw new IllegalArgumentException("a policy keeps something");
        }
    }

    private int number(Period period) {
        return switch (period) {
            case DAILY -> daily;
            case WEEKLY -> weekly;
            case MONTHLY -> monthly;
            case YEARLY -> yearly;
        };
    }

    /// Chooses.
    ///
    /// @param moments of all points, by number
    /// @param now what the clock says
    /// @return for the number of each point that is kept, why: `last 2`, `within 30d`, `daily 2026-11-20`
    public SortedMap<Long, List<String>> keep(List<Moment> moments, Instant now) {
        List<Moment> newest = moments.reversed();
        SortedMap<Long, List<String>> kept = new TreeMap<>();
        for (int i = 0; i < Math.min(last, newest.size()); i++) {
            keep(kept, newest.subList(i, i + 1), "last " + (i + 1));
        }
        within.ifPresent(span -> within(span, newest, now, kept));
        for (Period period : Period.values()) {
            periods(period, newest, kept);
        }
        return kept;
    }

    private void within(Span span, List<Moment> newest, Instant now, Map<Long, List<String>> kept) {
        if (newest.isEmpty()) {
            return;
        }
        Instant end = newest.getFirst().time().isAfter(now) ? now : newest.getFirst().time();
        Instant start = span.before(end, zone);
        int count = 1;
        for (int i = 1; i < newest.size(); i++) {
            if (!newest.get(i).time().isBefore(start) && !newest.get(i).time().isAfter(end)) {
                count = i + 1;
            }
        }
        keep(kept, newest.subList(0, count + incredible(newest, count, end)), "within " + span);
    }

    /// {@return how many points, from one on, have a time that cannot be true; the one that gives them away included}
    private static int incredible(List<Moment> newest, int from, Instant end) {
        int count = from;
        boolean givenAway = false;
        while (count < newest.size()) {
            Instant time = newest.get(count).time();
            boolean tooEarly = newest.subList(count + 1, newest.size()).stream()
                    .anyMatch(older -> older.time().isAfter(time) && !older.time().isAfter(end));
            if (!tooEarly && !time.isAfter(end)) {
                break;
            }
            givenAway |= tooEarly;
            count++;
        }
        return Math.min(newest.size(), givenAway ? count + 1 : count) - from;
    }

    private static void keep(Map<Long, List<String>> kept, List<Moment> moments, String why) {
        moments.forEach(moment -> kept.computeIfAbsent(moment.number(), number -> new ArrayList<>()).add(why));
    }

    private void periods(Period period, List<Moment> newest, Map<Long, List<String>> kept) {
        int left = number(period);
        LocalDate floor = LocalDate.MAX;
        for (int from = 0; from < newest.size() && number(period) > 0; ) {
            LocalDate start = start(period, newest.get(from));
            int to = from + 1;
            boolean wentBack = false;
            while (to < newest.size() && start(period, newest.get(to)).equals(start) && !wentBack) {
                wentBack = newest.get(to).time().isAfter(newest.get(to - 1).time());
                to += wentBack ? 0 : 1;
            }
            List<Moment> moments = newest.subList(from, to);
            if (start.isBefore(floor)) {
                floor = start;
                boolean counted = moments.stream().noneMatch(moment -> kept.containsKey(moment.number()));
                if (counted && left-- == 0) {
                    return;
                }
            }
            String why = period.word() + " " + period.name(start);
            keep(kept, moments.subList(0, 1), why);
            if (wentBack && moments.size() > 1) {
                keep(kept, moments.subList(moments.size() - 1, moments.size()), why + ", before which the clock went back");
            }
            from = to;
        }
    }

    /// {@return `last 3, within 30d, daily 7, in the calendar of UTC`}
    @Override
    public String toString() {
        List<String> options = new ArrayList<>();
        if (last > 0) {
            options.add("last " + last);
        }
        within.ifPresent(span -> options.add("within " + span));
        for (Period period : Period.values()) {
            if (number(period) > 0) {
                options.add(period.word() + " " + number(period));
            }
        }
        return String.join(", ", options) + ", in the calendar of " + zone;
    }

    private LocalDate start(Period period, Moment moment) {
        return period.start(LocalDate.ofInstant(moment.time(), zone));
    }
}
