package varve.archive.retention;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/// What is kept if clocks run: by our rule, and by those of others as their sources have them, all in the plainest way.
public final class Models {

    private Models() {}

    private static List<Function<ZonedDateTime, String>> names() {
        return List.of(
                time -> DateTimeFormatter.ISO_LOCAL_DATE.format(time),
                time -> DateTimeFormatter.ISO_WEEK_DATE.format(time.toLocalDate()).substring(0, 8),
                time -> time.getYear() + "/" + time.getMonthValue(),
                time -> String.valueOf(time.getYear()));
    }

    private static int[] numbers(Retention policy) {
        return new int[] {policy.daily(), policy.weekly(), policy.monthly(), policy.yearly()};
    }

    private static Set<Long> lastAndWithin(Retention policy, List<Moment> moments) {
        Set<Long> kept = new TreeSet<>();
        for (Moment moment : moments) {
            long newer = moments.stream().filter(other -> other.number() > moment.number()).count();
            if (newer < policy.last()) {
                kept.add(moment.number());
            }
            if (policy.within().isPresent()) {
                Span span = policy.within().get();
                ZonedDateTime cut = moments.getLast().time().atZone(policy.zone())
                        .minusYears(span.years()).minusMonths(span.months()).minusDays(span.days()).minusHours(span.hours());
                if (!moment.time().isBefore(cut.toInstant())) {
                    kept.add(moment.number());
                }
            }
        }
        return kept;
    }

    /// the newest of each period, down to the one that is one too many of those in which no earlier option keeps a point
    public static Set<Long> ours(Retention policy, List<Moment> moments) {
        Set<Long> kept = lastAndWithin(policy, moments);
        for (int option = 0; option < 4; option++) {
            Function<ZonedDateTime, String> name = names().get(option);
            Set<Long> before = Set.copyOf(kept);
            int left = numbers(policy)[option];
            int all = left;
            Set<String> seen = new HashSet<>();
            for (Moment moment : moments.reversed()) {
                String period = name.apply(moment.time().atZone(policy.zone()));
                if (all == 0 || !seen.add(period)) {
                    continue;
                }
                boolean covered = moments.stream().anyMatch(other -> before.contains(other.number())
                        && name.apply(other.time().atZone(policy.zone())).equals(period));
                if (!covered && left-- == 0) {
                    break;
                }
                kept.add(moment.number());
            }
        }
        return kept;
    }

    /// pbs-datastore/src/prune.rs: each option marks the newest of the periods that no kept one is in
    static Set<Long> proxmox(Retention policy, List<Moment> moments) {
        Set<Long> kept = lastAndWithin(policy, moments);
        for (int option = 0; option < 4; option++) {
            Function<ZonedDateTime, String> name = names().get(option);
            Set<String> covered = new HashSet<>();
            moments.stream().filter(moment -> kept.contains(moment.number()))
                    .forEach(moment -> covered.add(name.apply(moment.time().atZone(policy.zone()))));
            Map<String, Long> newest = new HashMap<>();
            List<String> order = new ArrayList<>();
            for (Moment moment : moments) {
                String period = name.apply(moment.time().atZone(policy.zone()));
                newest.put(period, moment.number());
                if (!order.contains(period)) {
                    order.addFirst(period);
                }
            }
            order.stream().filter(period -> !covered.contains(period)).limit(numbers(policy)[option])
                    .forEach(period -> kept.add(newest.get(period)));
        }
        return kept;
    }

    /// restic's ApplyPolicy: from the newest on, a point is kept whenever the name of its period is not that of the one before
    static Set<Long> restic(Retention policy, List<Moment> moments) {
        Set<Long> kept = lastAndWithin(policy, moments);
        for (int option = 0; option < 4; option++) {
            int left = numbers(policy)[option];
            String before = "";
            for (Moment moment : moments.reversed()) {
                String period = names().get(option).apply(moment.time().atZone(policy.zone()));
                if (left > 0 && !period.equals(before)) {
                    kept.add(moment.number());
                    left--;
                }
                before = period;
            }
        }
        return kept;
    }
}
