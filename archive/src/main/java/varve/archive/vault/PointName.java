package varve.archive.vault;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;

/// What a user calls a point in time: `VOLUME@POINT`.
///
/// | POINT | means |
/// |---|---|
/// | `latest`, or none | the newest |
/// | `-1`, `-2` ... | the one before the latest, the one before that |
/// | `2026-11-20` | the last one of that day (UTC) |
/// | `2026-11-20T02:00Z` | the last one at or before that time; an offset such as `+01:00` may stand for `Z` |
/// | `3bf3619a` | the last one with a root that begins so: at least 6 hexadecimal digits |
///
/// @param volume its name
/// @param point what stands behind the `@`, if anything
public record PointName(String volume, Optional<String> point) {

    private static final Pattern ROOT = Pattern.compile("[0-9a-f]{6,64}");

    private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .appendPattern("'T'HH:mm[:ss]")
            .optionalStart()
            .appendFraction(ChronoField.NANO_OF_SECOND, 1, 3, true) // fractions of others take big decimals, which are slow to load
            .optionalEnd()
            .appendOffset("+HH:mm", "Z")
            .toFormatter();

    public static PointName parse(String text) {
        int at = text.indexOf('@');
        return at < 0
                ? new PointName(text, Optional.empty())
                : new PointName(text.substring(0, at), Optional.of(text.substring(at + 1)));
    }

    /// {@return whether it names a state by its root, and not a place in the history}
    boolean isRoot() {
        return point.filter(name -> ROOT.matcher(name).matches()).isPresent();
    }

    /// {@return the point}
    /// @throws NotFoundException if there is none, or the name fits several states
    public Point in(History history) throws NotFoundException {
        List<Point> points = history.points();
        String name = point.orElse("latest");
        if (points.isEmpty()) {
            throw new NotFoundException("volume \"" + volume + "\" has no points in time");
        }
        if (name.equals("latest")) {
            return points.getLast();
        }
        if (name.matches("-[0-9]{1,9}")) {
            int back = Integer.parseInt(name.substring(1));
            if (back >= points.size()) {
                throw new NotFoundException(this + ": the volume has only " + points.size() + (points.size() == 1 ? " point" : " points") + " in time");
            }
            return points.get(points.size() - 1 - back);
        }
        if (name.matches("[0-9]{4}-[0-9]{2}-[0-9]{2}")) {
            return day(points, name);
        }
        if (name.indexOf('T') > 0) {
            Instant time = time(name);
            return last(points, known -> !known.manifest().time().isAfter(time));
        }
        if (isRoot()) {
            return root(points, name);
        }
        throw new NotFoundException(this + ": \"" + name + "\" is no point; say latest, -1, 2026-11-20, 2026-11-20T02:00Z, or the first digits of a root");
    }

    private Point day(List<Point> points, String name) throws NotFoundException {
        LocalDate day;
        try {
            day = LocalDate.parse(name);
        } catch (DateTimeException e) {
            throw new NotFoundException(this + ": no such day");
        }
        return last(points, known -> LocalDate.ofInstant(known.manifest().time(), ZoneOffset.UTC).equals(day));
    }

    private Point root(List<Point> points, String digits) throws NotFoundException {
        Predicate<Point> fits = known -> known.state().root().toString().startsWith(digits);
        if (points.stream().filter(fits).map(Point::state).distinct().count() > 1) {
            throw new NotFoundException(this + ": several roots begin so, give more digits");
        }
        return last(points, fits);
    }

    private Instant time(String name) throws NotFoundException {
        try {
            return OffsetDateTime.parse(name, TIME).toInstant();
        } catch (DateTimeException e) {
            throw new NotFoundException(this + ": no such time; say it like 2026-11-20T02:00Z");
        }
    }

    private Point last(List<Point> points, Predicate<Point> fits) throws NotFoundException {
        Point first = points.getFirst();
        return points.stream()
                .filter(fits)
                .reduce((a, b) -> b)
                .orElseThrow(() -> new NotFoundException(this + ": no such point in time; the first of this volume is of "
                        + Manifest.text(first.manifest().time()) + ", varve list shows all"));
    }

    @Override
    public String toString() {
        return volume + point.map(p -> "@" + p).orElse("");
    }
}
