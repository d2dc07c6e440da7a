package varve.archive.changes;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import varve.archive.format.Decimal;
import varve.archive.format.JsonRows;
import varve.archive.hash.Hash;

/// A plain list of extents, in one of four forms.
///
/// Ours, for whatever has no form of its own: lines of ASCII, numbers in decimal, bytes.
///
///     varve-extents 1
///     size 17179869184          of the device
///     since 3bf36191...         root of the state that the list starts from; may be left out
///     0 4096                    offset and length, in any order, as many lines as needed
///     1048576 65536
///     end 2                     number of extents: so a list that is cut off is none
///
/// And three JSON documents, told apart by their members: `varve diff --json` (`ranges` of `offset` and `size`, and the root it
/// starts from), `nbdinfo --map=qemu:dirty-bitmap:NAME --json` (`offset`, `length`, `type`: 0 is clean), and `qemu-img map
/// --output=json` of an overlay (`start`, `length`, `depth`: what lies in the overlay itself, depth 0, has changed).
final class Extents {

    private Extents() {}

    static void read(InputStream in, ChangeList list) throws IOException {
        BufferedInputStream peek = new BufferedInputStream(in);
        peek.mark(1);
        int first = peek.read();
        peek.reset();
        if (first == '{' || first == '[') {
            json(peek, list);
        } else {
            lines(peek, list);
        }
    }

    private static void lines(InputStream in, ChangeList list) throws IOException {
        Lines lines = new Lines(in);
        if (!lines.next() || !lines.has("varve-extents", "1")) {
            throw lines.wrong("expected varve-extents 1, or JSON");
        }
        if (!lines.next() || lines.words() != 2 || !lines.has(0, "size")) {
            throw lines.wrong("expected size and a number");
        }
        checkSize(lines.number(1), list);
        boolean more = lines.next();
        if (more && lines.words() == 2 && lines.has(0, "since")) {
            list.since(root(lines.word(1)));
            more = lines.next();
        }
        long count = 0;
        while (more && lines.words() == 2 && !lines.has(0, "end")) {
            list.add(lines.number(0), lines.number(1));
            count++;
            more = lines.next();
        }
        if (!more || lines.words() != 2) {
            throw lines.wrong("expected an offset and a length, or end and their number");
        }
        if (lines.number(1) != count) {
            throw lines.wrong("expected " + lines.word(1) + " extents, found " + count);
        }
        if (lines.next()) {
            throw lines.wrong("more after the end");
        }
    }

    private static void json(InputStream in, ChangeList list) {
        long[] count = {0};
        Map<String, String> outer = JsonRows.read(in, "ranges", row -> {
            count[0]++;
            row(row, list);
        });
        if (outer.isEmpty()) {
            if (count[0] == 0) {
                throw new IllegalArgumentException("an empty array says of no device that it has not changed");
            }
            return;
        }
        checkSize(Decimal.parse("toSize", outer.get("toSize")), list);
        if (Decimal.parse("count", outer.get("count")) != count[0]) {
            throw new IllegalArgumentException("expected " + outer.get("count") + " ranges, found " + count[0]);
        }
        list.since(root(outer.get("from")));
    }

    private static void row(JsonRows.Row row, ChangeList list) {
        if (row.has("size")) {
            list.add(row.number("offset"), row.number("size"));
        } else if (row.has("depth")) {
            long length = row.number("length");
            list.add(row.number("start"), row.number("depth") == 0 ? length : 0);
        } else {
            long length = row.number("length");
            list.add(row.number("offset"), row.number("type") == 0 ? 0 : length);
        }
    }

    private static void checkSize(long size, ChangeList list) {
        if (size != list.size()) {
            throw new IllegalArgumentException("it is of a device of " + size + " bytes, this one has " + list.size());
        }
    }

    private static Hash root(@Nullable String text) {
        if (text == null || !text.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("\"" + text + "\" is no root: expected 64 hexadecimal digits");
        }
        return Hash.parse(text);
    }
}
