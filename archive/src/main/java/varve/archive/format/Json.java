package varve.archive.format;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/// A JSON value of texts, integers from 0 up, nulls, arrays and objects, and its one form on one line: no white space, members
/// in their order, strings as in a manifest (FORMAT.md section 6).
///
/// Reading is by Jackson's streaming parser, strict. What is accepted need not be in the one form: encode and compare.
public sealed interface Json {

    record Text(String value) implements Json {
        @Override
        public String toString() {
            return JsonMembers.quote(value);
        }
    }

    record Number(long value) implements Json {
        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    record Nothing() implements Json {
        @Override
        public String toString() {
            return "null";
        }
    }

    record Array(List<? extends Json> elements) implements Json {
        @Override
        public String toString() {
            return elements.stream().map(Json::toString).collect(Collectors.joining(",", "[", "]"));
        }
    }

    /// An object; its members in the order in which they were put.
    final class Members implements Json {

        private final Map<String, Json> members = new LinkedHashMap<>();

        public Members text(String name, @Nullable String value) {
            members.put(name, value == null ? new Nothing() : new Text(value));
            return this;
        }

        public Members number(String name, long value) {
            members.put(name, new Number(value));
            return this;
        }

        public Members array(String name, List<? extends Json> elements) {
            members.put(name, new Array(elements));
            return this;
        }

        /// {@return whether there is such a member}
        public boolean has(String name) {
            return members.containsKey(name);
        }

        /// {@return the text}
        /// @throws IllegalArgumentException if it is missing, or something else
        public String text(String name) {
            return member(name) instanceof Text text ? text.value : wrong(name, "no text");
        }

        /// {@return the text, or null}
        /// @throws IllegalArgumentException if it is missing, or something else
        public @Nullable String optionalText(String name) {
            return member(name) instanceof Nothing ? null : text(name);
        }

        /// {@return the integer}
        /// @throws IllegalArgumentException if it is missing, or something else
        public long number(String name) {
            return member(name) instanceof Number number ? number.value : wrong(name, "no integer");
        }

        /// {@return the elements of the array}
        /// @throws IllegalArgumentException if it is missing, or something else
        public List<? extends Json> array(String name) {
            return member(name) instanceof Array array ? array.elements : wrong(name, "no array");
        }

        private @Nullable Json member(String name) {
            return members.get(name);
        }

        private static <T> T wrong(String name, String what) {
            throw new IllegalArgumentException("\"" + name + "\" is missing, or " + what);
        }

        @Override
        public String toString() {
            return members.entrySet().stream()
                    .map(member -> JsonMembers.quote(member.getKey()) + ":" + member.getValue())
                    .collect(Collectors.joining(",", "{", "}"));
        }
    }

    /// {@return the form in UTF-8, without an end of the line}
    default byte[] encode() {
        return toString().getBytes(StandardCharsets.UTF_8);
    }

    /// {@return the object that `text` is}
    /// @throws IllegalArgumentException if it is none
    static Members object(byte[] text) {
        try (JsonParser parser = JsonMembers.JSON.createParser(ObjectReadContext.empty(), text)) {
            parser.nextToken();
            if (value(parser) instanceof Members members && parser.nextToken() == null) {
                return members;
            }
            throw new IllegalArgumentException("no JSON object, or more than one");
        } catch (JacksonException e) {
            throw new IllegalArgumentException("no JSON: " + e.getOriginalMessage());
        }
    }

    private static Json value(JsonParser parser) {
        switch (parser.currentToken()) {
            case VALUE_STRING -> {
                return new Text(parser.getString());
            }
            case VALUE_NUMBER_INT -> {
                long value = parser.getLongValue();
                if (value < 0) {
                    throw new IllegalArgumentException("a number below 0");
                }
                return new Number(value);
            }
            case VALUE_NULL -> {
                return new Nothing();
            }
            case START_ARRAY -> {
                List<Json> elements = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    elements.add(value(parser));
                }
                return new Array(elements);
            }
            case START_OBJECT -> {
                Members object = new Members();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    object.members.put(name, value(parser));
                }
                return object;
            }
            case null, default -> throw new IllegalArgumentException("neither text, integer, null, array nor object");
        }
    }
}
