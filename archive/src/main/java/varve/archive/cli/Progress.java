package varve.archive.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// How far a long task is, for the user's eyes: on a terminal one line that rewrites itself, elsewhere a plain line every
/// 10 seconds or 10 %, whichever comes first, but not more than one a second.
///
/// [#add] is for any number of threads and costs a counter and a look at the clock; whichever thread finds a line due
/// prints it. A task that stands still prints nothing, and nor does one that is over within a moment.
public final class Progress implements AutoCloseable {
    private static final long SECOND = 1_000_000_000L;
    private static final long PLAIN = 10 * SECOND;
    private static final String CLEAR = "\r\033[K"; // to the start of the line, erase to its end

    private static final Progress SILENT = new Progress(null, "", -1, 0, () -> 0);

    private final @Nullable PrintStream err;
    private final String task;
    private volatile long total;
    private final int columns;
    private final LongSupplier nanoTime;
    private final long start;
    private final long interval;
    private final LongAdder done = new LongAdder();
    private final AtomicLong due; // when to look again whether a line is to be printed
    // of the last line; guarded by this
    private long shownBytes;
    private long shownTime;
    private boolean shown;
    private boolean over;

    private Progress(@Nullable PrintStream err, String task, long total, int columns, LongSupplier nanoTime) {
        this.err = err;
        this.task = task;
        this.total = total;
        this.columns = columns;
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.interval = columns > 0 ? SECOND / 5 : SECOND;
        this.due = new AtomicLong(start + interval);
        this.shownTime = start;
    }

    /// {@return one that shows nothing}
    public static Progress silent() {
        return SILENT;
    }

    static Progress of(Stdio stdio, String task, long total) {
        return new Progress(stdio.err(), task, total, stdio.columns(), stdio.nanoTime());
    }

    /// Says how much there is to do, if that was not known at the start.
    public void expect(long bytes) {
        total = bytes;
    }

    /// Counts bytes that are done.
    public void add(long bytes) {
        if (err == null) {
            return;
        }
        done.add(bytes);
        long now = nanoTime.getAsLong();
        long at = due.get();
        if (now - at >= 0 && due.compareAndSet(at, now + interval)) {
            show(err, now);
        }
    }

    private synchronized void show(PrintStream err, long now) {
        long bytes = done.sum();
        if (over || (columns == 0 && now - shownTime < PLAIN && (total <= 0 || bytes - shownBytes < total / 10))) {
            return;
        }
        print(err, done(bytes) + rate(bytes, now) + remaining(bytes, now));
        shownBytes = bytes;
        shownTime = now;
        shown = true;
    }

    /// Ends it, with a line on the whole task if any was shown before.
    public synchronized void finish() {
        long bytes = done.sum();
        long now = nanoTime.getAsLong();
        if (err != null && shown && !over) {
            print(err, Size.format(bytes) + " in " + time((now - start) / SECOND) + rate(bytes, now));
            if (columns > 0) {
                err.println();
            }
        }
        over = true;
    }

    /// Leaves the terminal's line to what comes next, if the task was not finished.
    @Override
    public synchronized void close() {
        if (err != null && shown && !over && columns > 0) {
            err.print(CLEAR);
        }
        over = true;
    }

    private void print(PrintStream err, String text) {
        if (columns > 0) {
            String line = task + ": " + text;
            err.print(CLEAR + line.substring(0, Math.min(line.length(), columns - 1)));
            err.flush();
        } else {
            err.println("varve: " + task + ": " + text);
        }
    }

    private String done(long bytes) {
        return total > 0
                ? String.format(Locale.ROOT, "%d %%, %s of %s", percent(bytes), Size.format(bytes), Size.format(total))
                : Size.format(bytes);
    }

    private long percent(long bytes) {
        return Math.min(100, (long) (100.0 * bytes / total));
    }

    private String rate(long bytes, long now) {
        return now == start ? "" : ", " + Size.format((long) (1.0 * bytes * SECOND / (now - start))) + "/s";
    }

    private String remaining(long bytes, long now) {
        if (total <= 0 || bytes <= 0 || bytes > total) {
            return "";
        }
        return ", " + time(Math.round((now - start) * (1.0 * total / bytes - 1) / SECOND)) + " left";
    }

    private static String time(long seconds) {
        if (seconds < 60) {
            return seconds + " s";
        }
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d min %02d s", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d h %02d min", seconds / 3600, seconds / 60 % 60);
    }
}
