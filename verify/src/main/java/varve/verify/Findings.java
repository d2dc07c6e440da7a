package varve.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;

/// Collects findings. Places that touch become one, and a file that is damaged all over does not fill the memory.
///
/// For one thread, the one that leads.
final class Findings {

    private static final int MOST_PLACES = 1000; // listed of one kind in one file

    private final List<Finding> list = new ArrayList<>();
    private final Map<String, Places> chunks = new TreeMap<>();
    private final Map<String, Places> groups = new TreeMap<>();
    private final Map<String, Places> unread = new TreeMap<>();

    void add(Finding finding) {
        list.add(finding);
    }

    /// Adds what an exception says of a file.
    ///
    /// @param otherwise makes the finding, unless a later varve wrote the file
    void add(String file, Throwable thrown, Function<String, Finding> otherwise) {
        list.add(thrown instanceof UnsupportedException e ? new Finding.Unsupported(file, text(file, e)) : otherwise.apply(text(file, thrown)));
    }

    void chunk(String file, long offset, long size, Throwable thrown) {
        chunks.computeIfAbsent(file, f -> new Places()).add(new Place(offset, offset + size, rule(thrown), text(file, thrown), 1));
    }

    void group(String file, long position, long size) {
        groups.computeIfAbsent(file, f -> new Places()).add(new Place(position, position + size, Optional.empty(), "", 1));
    }

    void unreadable(String file, long position, long size, Throwable thrown) {
        unread.computeIfAbsent(file, f -> new Places()).add(new Place(position, position + size, Optional.empty(), text(file, thrown), 1));
    }

    /// Adds all that another has collected.
    void addAll(Findings more) {
        list.addAll(more.list);
        merge(chunks, more.chunks);
        merge(groups, more.groups);
        merge(unread, more.unread);
    }

    private static void merge(Map<String, Places> to, Map<String, Places> from) {
        from.forEach((file, places) -> to.computeIfAbsent(file, f -> new Places()).addAll(places));
    }

    /// {@return the rule that an exception says is broken}
    static Optional<Rule> rule(Throwable thrown) {
        return thrown instanceof CorruptException e ? Optional.of(e.rule()) : Optional.empty();
    }

    /// {@return what an exception says, in one line that names the file}
    static String text(String file, Throwable thrown) {
        String message = thrown.getMessage() == null ? thrown.getClass().getSimpleName() : thrown.getMessage();
        String line = message.replaceAll("\\R", " ");
        return line.contains(file) ? line : file + ": " + line;
    }

    /// {@return all findings, files in the order of their names behind those that are not about a place}
    List<Finding> list() {
        List<Finding> all = new ArrayList<>(list);
        unread.forEach((file, places) -> places.list(file, all, p -> new Finding.Unreadable(file, p.start, p.end - p.start, p.all())));
        groups.forEach((file, places) -> places.list(file, all, p -> new Finding.DamagedRange(file, p.start, p.end - p.start)));
        chunks.forEach((file, places) -> places.list(file, all, p -> new Finding.DamagedChunks(file, p.rule, p.start, p.end - p.start, p.all())));
        return List.copyOf(all);
    }

    private record Place(long start, long end, Optional<Rule> rule, String text, long count) {

        /// what is said of the first, and how many more there are
        String all() {
            return count == 1 ? text : text + " (the first of " + count + ")";
        }
    }

    /// Places of one kind in one file.
    private static final class Places {
        private final TreeMap<Long, Place> places = new TreeMap<>();
        private long more;

        void add(Place place) {
            var floor = places.floorEntry(place.start);
            Place before = floor == null ? null : floor.getValue();
            if (before != null && before.end >= place.end) {
                return; // known
            }
            if (before != null && before.end == place.start && before.rule.equals(place.rule)) {
                places.put(before.start, new Place(before.start, place.end, place.rule, before.text, before.count + place.count));
            } else if (places.size() < MOST_PLACES) {
                places.put(place.start, place);
            } else {
                more += place.count;
            }
        }

        void addAll(Places others) {
            others.places.values().forEach(this::add);
            more += others.more;
        }

        void list(String file, List<Finding> to, Function<Place, Finding> finding) {
            places.values().stream().map(finding).forEach(to::add);
            if (more > 0) {
                to.add(new Finding.MoreDamage(file, more));
            }
        }
    }
}
