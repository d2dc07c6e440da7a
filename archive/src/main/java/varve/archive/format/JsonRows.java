package varve.archive.format;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/// A JSON array of flat objects, read as a stream, however long: what other programs print as a list.
public final class JsonRows {

    private JsonRows() {}

    /// One of the objects, until the next one is read: members that are no texts, numbers or booleans are refused.
    public static final class Row {
        private static final int MOST = 100;

        private final List<String> names = new ArrayList<>();
        private final long[] numbers = new long[MOST];
        private final @Nullable String[] texts = new String[MOST];

        private Row() {}

        private void read(JsonParser parser) {
            require(parser.currentToken() == JsonToken.START_OBJECT, "no object in the array");
            names.clear();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                int i = names.size();
                require(i < MOST, "an object has more than " + MOST + " members");
                names.add(parser.currentName());
                boolean number = parser.nextToken() == JsonToken.VALUE_NUMBER_INT && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
                numbers[i] = number ? parser.getLongValue() : -1;
                texts[i] = numbers[i] < 0 ? JsonRows.text(parser) : null;
            }
        }

        /// {@return whether there is a member of this name}
        public boolean has(String name) {
            return names.contains(name);
        }

        /// {@return a member as a text, or null if there is none of this name}
        public @Nullable String text(String name) {
            int i = names.indexOf(name);
            return i < 0 ? null : texts[i] == null ? Long.toString(numbers[i]) : texts[i];
        }

        /// {@return a member that is a number of 0 to 2^63 - 1}
        /// @throws IllegalArgumentException if it is missing, or anything else
        public long number(String name) {
            int i = names.indexOf(name);
            return i >= 0 && texts[i] == null ? numbers[i] : Decimal.parse(name, text(name));
        }
    }

    /// Reads an array of objects, or an object that holds one.
    ///
    /// @param in a whole JSON document
    /// @param array name of the array if it is in an object
    /// @param rows gets the objects
    /// @return the members of the object around the array; empty if there is none
    /// @throws IllegalArgumentException if it is no such document, or cut off
    public static Map<String, String> read(InputStream in, String array, Consumer<Row> rows) {
        Map<String, String> outer = new LinkedHashMap<>();
        try (JsonParser parser = JsonMembers.JSON.createParser(ObjectReadContext.empty(), in)) {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.START_OBJECT) {
                boolean found = false;
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    if (parser.nextToken() == JsonToken.START_ARRAY && name.equals(array)) {
                        found = true;
                        rows(parser, rows);
                    } else {
                        outer.put(name, text(parser));
                    }
                }
                require(found, "no array \"" + array + "\"");
            } else {
                require(first == JsonToken.START_ARRAY, "neither array nor object");
                rows(parser, rows);
            }
            require(parser.nextToken() == null, "more after its end");
            return outer;
        } catch (JacksonException e) {
            throw new IllegalArgumentException("no whole JSON document: " + e.getOriginalMessage(), e);
        }
    }

    private static void rows(JsonParser parser, Consumer<Row> rows) {
        Row row = new Row();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            row.read(parser);
            rows.accept(row);
        }
    }

    private static String text(JsonParser parser) {
        require(parser.currentToken().isScalarValue(), "no text, number or boolean");
        return parser.getString();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
