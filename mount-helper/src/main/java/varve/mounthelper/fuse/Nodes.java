package varve.mounthelper.fuse;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// What the kernel calls by number: each entry that it has seen gets a number when it is first seen and keeps it. None is
/// forgotten: there are no more than points in time.
///
/// Safe for use by several threads.
final class Nodes {

    private final Map<Long, Entry> entries = new ConcurrentHashMap<>();
    private final Map<Entry, Long> numbers = new ConcurrentHashMap<>();
    private final AtomicLong last = new AtomicLong(Protocol.ROOT);

    Nodes(Entry.Folder root) {
        entries.put(Protocol.ROOT, root);
        numbers.put(root, Protocol.ROOT);
    }

    long number(Entry entry) {
        return numbers.computeIfAbsent(entry, added -> {
            long number = last.incrementAndGet();
            entries.put(number, added);
            return number;
        });
    }

    /// @throws FuseException if there is none of that number
    Entry entry(long number) throws FuseException {
        Entry entry = entries.get(number);
        if (entry == null) {
            throw new FuseException(FuseException.ESTALE);
        }
        return entry;
    }
}
