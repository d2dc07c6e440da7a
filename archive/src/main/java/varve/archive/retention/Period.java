package varve.archive.retention;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.temporal.IsoFields;
import java.time.temporal.TemporalAdjusters;
import java.util.Locale;

/// The periods of the calendar of which a policy keeps the newest point.
public enum Period {
    DAILY {
        @Override
        LocalDate start(LocalDate day) {
            return day;
        }

        @Override
        String name(LocalDate start) {
            return start.toString();
        }
    },
    /// of ISO 8601: from Monday on, named by the year in which its Thursday lies
    WEEKLY {
        @Override
        LocalDate start(LocalDate day) {
            return day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
        }

        @Override
        String name(LocalDate start) {
            return String.format(
                    Locale.ROOT, "%04d-W%02d", start.get(IsoFields.WEEK_BASED_YEAR), start.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
        }
    },
    MONTHLY {
        @Override
        LocalDate start(LocalDate day) {
            return day.withDayOfMonth(1);
        }

        @Override
        String name(LocalDate start) {
            return start.toString().replaceFirst("-01$", "");
        }
    },
    YEARLY {
        @Override
        LocalDate start(LocalDate day) {
            return day.withDayOfYear(1);
        }

        @Override
        String name(LocalDate start) {
            return start.toString().replaceFirst("-01-01$", "");
        }
    };

    /// {@return `daily`}
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// {@return the first day of the period in which a day lies}
    abstract LocalDate start(LocalDate day);

    /// {@return what people call the period that begins on a day: `2026-11-20`, `2026-W47`, `2026-11`, `2026`}
    abstract String name(LocalDate start);
}
