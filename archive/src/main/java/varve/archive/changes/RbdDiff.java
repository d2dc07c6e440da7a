package varve.archive.changes;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import varve.archive.format.JsonRows;

/// What `rbd diff --from-snap` prints, in any of its three formats: told apart by the first character. What it calls a hole is
/// zero now, and listed like the rest: that costs a look.
///
/// An empty list is valid as JSON or XML, which end visibly. As plain text it cannot be told from one that is cut off.
final class RbdDiff {

    private RbdDiff() {}

    static void read(InputStream in, ChangeList list) throws IOException {
        BufferedInputStream peek = new BufferedInputStream(in);
        peek.mark(64);
        int first = peek.read();
        while (first == ' ' || first == '\n' || first == '\r' || first == '\t') {
            first = peek.read();
        }
        peek.reset();
        switch (first) {
            case '[' -> JsonRows.read(peek, "", row -> row(row, list));
            case '<' -> XmlLists.rbd(peek, list);
            case -1 -> throw new IllegalArgumentException("it is empty; print it with --format json, where an empty list is []");
            default -> plain(peek, list);
        }
    }

    private static void plain(InputStream in, ChangeList list) throws IOException {
        Lines lines = new Lines(in);
        if (!lines.next() || !lines.has("Offset", "Length", "Type")) {
            throw lines.wrong("expected Offset Length Type");
        }
        while (lines.next()) {
            if (lines.words() != 3 || !(lines.has(2, "data") || lines.has(2, "zero"))) {
                throw lines.wrong("expected an offset, a length, and data or zero");
            }
            list.add(lines.number(0), lines.number(1));
        }
    }

    private static void row(JsonRows.Row row, ChangeList list) {
        String exists = row.text("exists");
        if (!"true".equals(exists) && !"false".equals(exists)) {
            throw new IllegalArgumentException("exists is " + exists + ", expected true or false");
        }
        list.add(row.number("offset"), row.number("length"));
    }
}
