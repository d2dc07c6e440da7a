package varve.archive.cli;

import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// A writer of JSON for `--json`: members in the order given, two spaces of indent, one line feed at the end, as large as it
/// likes to be.
///
///     try (JsonText json = new JsonText(out)) {
///         json.object().member("volume", "tools").array("points");
///         json.object().member("size", 42).end();
///     }
///
/// Closing ends what is still open.
public final class JsonText implements AutoCloseable {
    private final PrintStream out;
    private final Deque<Character> open = new ArrayDeque<>(); // what ends each structure at hand
    private boolean first = true; // in the innermost structure

    public JsonText(PrintStream out) {
        this.out = out;
    }

    /// Begins an object: the document, or an element of an array.
    public JsonText object() {
        return begin(null, '{', '}');
    }

    /// Begins an object as a member.
    public JsonText object(String name) {
        return begin(name, '{', '}');
    }

    /// Begins an array: the document, or an element of an array.
    public JsonText array() {
        return begin(null, '[', ']');
    }

    /// Begins an array as a member.
    public JsonText array(String name) {
        return begin(name, '[', ']');
    }

    public JsonText member(String name, @Nullable String value) {
        return raw(name, value == null ? "null" : quote(value));
    }

    public JsonText member(String name, long value) {
        return raw(name, Long.toString(value));
    }

    public JsonText member(String name, boolean value) {
        return raw(name, Boolean.toString(value));
    }

    public JsonText element(String value) {
        return raw(null, quote(value));
    }

    public JsonText element(long value) {
        return raw(null, Long.toString(value));
    }

    /// Ends the innermost object or array.
    public JsonText end() {
        char end = open.pop();
        if (!first) {
            line();
        }
        out.print(end);
        first = false;
        if (open.isEmpty()) {
            out.print('\n');
        }
        return this;
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            end();
        }
    }

    private JsonText begin(@Nullable String name, char begin, char end) {
        raw(name, String.valueOf(begin));
        open.push(end);
        first = true;
        return this;
    }

    private JsonText raw(@Nullable String name, String text) {
        if (!open.isEmpty()) {
            if (!first) {
                out.print(',');
            }
            line();
        }
        out.print(name == null ? text : quote(name) + ": " + text);
        first = false;
        return this;
    }

    private void line() {
        out.print("\n" + "  ".repeat(open.size()));
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\n");
                default -> {
                    if (Character.isISOControl(c)) {
                        quoted.append(String.format("\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }
}
