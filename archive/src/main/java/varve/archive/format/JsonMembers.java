package varve.archive.format;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import varve.archive.hash.SubtreeHasher;

/// One flat JSON object of strings, integers and nulls in a fixed order, sealed by a hash of itself: the shape of a manifest.
///
/// Reading is by Jackson's streaming parser, strict; writing is ours, since the bytes are hashed and signed.
public final class JsonMembers {

    static final JsonFactory JSON =
            JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    private static final String CHECK = "check";

    private final LinkedHashMap<String, @Nullable Object> members = new LinkedHashMap<>();
    private final String where;

    /// @param where file name for messages
    public JsonMembers(String where) {
        this.where = where;
    }

    public void text(String name, @Nullable String value) {
        members.put(name, value);
    }

    public void number(String name, @Nullable Long value) {
        members.put(name, value);
    }

    public void number(String name, long value) {
        members.put(name, value);
    }

    /// {@return the string, or null}
    /// @throws CorruptException if it is something else, F035
    public @Nullable String text(String name) throws CorruptException {
        Object value = members.get(name);
        require(value == null || value instanceof String, where, "\"" + name + "\" is no text");
        return (String) value;
    }

    /// {@return the string}
    /// @throws CorruptException if it is missing or something else, F035
    public String required(String name) throws CorruptException {
        String value = text(name);
        require(value != null, where, "\"" + name + "\" is missing");
        return value;
    }

    /// {@return the integer, or null}
    /// @throws CorruptException if it is something else, F035
    public @Nullable Long optionalNumber(String name) throws CorruptException {
        Object value = members.get(name);
        require(value == null || value instanceof Long, where, "\"" + name + "\" is no integer");
        return (Long) value;
    }

    /// {@return the integer}
    /// @throws CorruptException if it is missing or something else, F035
    public long number(String name) throws CorruptException {
        Long value = optionalNumber(name);
        require(value != null, where, "\"" + name + "\" is missing");
        return value;
    }

    /// {@return the object in `text`}
    /// @throws CorruptException if it is not one, F035
    public static JsonMembers parse(byte[] text, String where) throws CorruptException {
        JsonMembers json = new JsonMembers(where);
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
            require(parser.nextToken() == JsonToken.START_OBJECT, where, "no JSON object");
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                if (value == JsonToken.VALUE_STRING) {
                    json.members.put(name, parser.getString());
                } else if (value == JsonToken.VALUE_NUMBER_INT) {
                    require(parser.getLongValue() >= 0, where, "\"" + name + "\" is negative");
                    json.members.put(name, parser.getLongValue());
                } else {
                    require(value == JsonToken.VALUE_NULL, where, "\"" + name + "\" is neither text nor an integer");
                    json.members.put(name, null);
                }
            }
            require(parser.currentToken() == JsonToken.END_OBJECT, where, "no end of the JSON object");
            require(parser.nextToken() == null, where, "more after the JSON object");
        } catch (JacksonException e) {
            throw new CorruptException(Rule.F035, where, "no JSON: " + e.getOriginalMessage());
        }
        return json;
    }

    private static void require(boolean holds, String where, String otherwise) throws CorruptException {
        if (!holds) {
            throw new CorruptException(Rule.F035, where, otherwise);
        }
    }

    /// Adds the last member: the hash of the text before it.
    public void seal() {
        members.put(CHECK, check());
    }

    /// {@return whether the last member is the hash of the text before it}
    public boolean sealed() {
        return !members.isEmpty() && CHECK.equals(members.lastEntry().getKey()) && check().equals(members.get(CHECK));
    }

    /// {@return whether it has the members of another in the same order, and then its own hash}
    boolean seals(JsonMembers other) {
        List<Map.Entry<String, @Nullable Object>> own = List.copyOf(members.entrySet());
        return own.size() == other.members.size() + 1
                && own.getLast().getKey().equals(CHECK)
                && own.subList(0, other.members.size()).equals(List.copyOf(other.members.entrySet()));
    }

    private String check() {
        StringBuilder text = new StringBuilder("{\n");
        members.forEach((name, value) -> {
            if (!name.equals(CHECK)) {
                append(text, name, value);
                text.append(",\n");
            }
        });
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        return new SubtreeHasher().whole(MemorySegment.ofArray(bytes)).toString();
    }

    /// {@return the text: one member a line, in the order in which they were set}
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("{\n");
        String separator = "";
        for (Map.Entry<String, @Nullable Object> member : members.entrySet()) {
            text.append(separator);
            append(text, member.getKey(), member.getValue());
            separator = ",\n";
        }
        return text.append("\n}\n").toString();
    }

    private static void append(StringBuilder text, String name, @Nullable Object value) {
        text.append("  ");
        quote(text, name);
        text.append(": ");
        if (value instanceof String string) {
            quote(text, string);
        } else {
            text.append(value);
        }
    }

    /// {@return a string as it is written in a manifest}
    static String quote(String value) {
        StringBuilder text = new StringBuilder();
        quote(text, value);
        return text.toString();
    }

    private static void quote(StringBuilder text, String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < 0x20) {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
