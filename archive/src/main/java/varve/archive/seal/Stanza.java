package varve.archive.seal;

import java.util.List;

/// A file key, wrapped for one recipient: words that say for whom and how, and the wrapped key.
///
/// @param words of which the first is the kind; printable ASCII without spaces
record Stanza(List<String> words, byte[] body) {

    private static final int COLUMNS = 64;

    String kind() {
        return words.getFirst();
    }

    /// {@return the text, every line ended}
    String encode() {
        StringBuilder text = new StringBuilder("-> ").append(String.join(" ", words)).append('\n');
        String base64 = Base64Text.encode(body);
        for (int at = 0; at <= base64.length(); at += COLUMNS) { // the last line is shorter than the others, empty if need be
            text.append(base64, at, Math.min(base64.length(), at + COLUMNS)).append('\n');
        }
        return text.toString();
    }

    /// Takes a stanza off a header.
    static Stanza decode(Lines lines) throws AgeFormatException {
        String first = lines.next();
        List<String> words = List.of(first.substring(3).split(" ", -1));
        for (String word : words) {
            if (word.isEmpty() || word.chars().anyMatch(c -> c < 33 || c > 126)) {
                throw new AgeFormatException("\"" + first + "\" is no beginning of a stanza");
            }
        }
        StringBuilder base64 = new StringBuilder();
        String line;
        do {
            line = lines.next();
            if (line.length() > COLUMNS) {
                throw new AgeFormatException("a stanza with a line of " + line.length() + " characters");
            }
            base64.append(line);
        } while (line.length() == COLUMNS);
        return new Stanza(words, Base64Text.decode(base64.toString()));
    }

    /// Lines of a header, one after another.
    interface Lines {
        /// {@return a line without its end}
        /// @throws AgeFormatException if there is none
        String next() throws AgeFormatException;
    }
}
