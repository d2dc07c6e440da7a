package varve.mounthelper.nbd;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Something that can be asked about a range of an export: proto.md, section "Metadata querying".
///
/// `varve:archive` is ours: the status of a range is the number of the point in time whose archive holds its bytes, the one
/// that `varve list` shows, modulo 2^32 without extended headers; 0 if they are in no archive. `varve:` is the wildcard.
enum MetaContext {
    ALLOCATION("base:", "allocation"),
    ARCHIVE("varve:", "archive");

    private final String namespace;
    private final String leaf;

    MetaContext(String namespace, String leaf) {
        this.namespace = namespace;
        this.leaf = leaf;
    }

    /// {@return its id in replies}
    int id() {
        return ordinal() + 1;
    }

    static Optional<MetaContext> of(int id) {
        return Stream.of(values()).filter(context -> context.id() == id).findFirst();
    }

    @Override
    public String toString() {
        return namespace + leaf;
    }

    /// {@return the contexts that fit a query}
    /// @param wildcards whether a namespace alone stands for all that is in it
    static List<MetaContext> matching(String query, boolean wildcards) {
        return Stream.of(values())
                .filter(context -> query.equals(context.toString()) || wildcards && query.equals(context.namespace))
                .toList();
    }
}
