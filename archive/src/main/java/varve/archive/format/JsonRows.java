package varve.archive.format;

import java.io.InputStream;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/// A JSON array of flat objects, read as a stream, however long: what other programs print as a list.
public final class JsonRows {

    private JsonRows() {}

    /// Reads an array of objects, or an object that holds one.
    ///
    /// @param in a whole JSON document
    /// @param array name of the array if it is in an object
    /// @param rows gets the members of each object as texts, the same map each time
    /// @return the members of the object around the array; empty if there is none
    /// @throws IllegalArgumentException if it is no such document, or cut off
    public static Map<String, String> read(InputStream in, String array, Consumer<Map<String, String>> rows) {
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

    private static void rows(JsonParser parser, Consumer<Map<String, String>> rows) {
        Map<String, String> row = new HashMap<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            require(parser.currentToken() == JsonToken.START_OBJECT, "no object in the array");
            row.clear();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                row.put(name, text(parser));
            }
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
