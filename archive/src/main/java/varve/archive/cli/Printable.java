package varve.archive.cli;

import java.util.function.IntPredicate;

/// Text from elsewhere, a label of a manifest or the name of a file, made fit to be shown: it cannot begin a line of its own, move
/// the cursor or turn the reading direction of what follows.
public final class Printable {

    private static final String PLAIN_WORD = "[\\w@%+=:,./-]+";

    private Printable() {}

    /// {@return the text with escapes such as `\u001b` for characters that are instructions and not signs}
    public static String line(String text) {
        return text.codePoints().noneMatch(Printable::isInstruction) ? text : escaped(text, Printable::isInstruction);
    }

    /// {@return a word of a command line that can be copied to a shell}
    public static String word(String text) {
        if (text.matches(PLAIN_WORD)) {
            return text;
        }
        return text.codePoints().anyMatch(Printable::isInstruction)
                ? "$'" + escaped(text, c -> c == '\\' || c == '\'' || isInstruction(c)) + "'"
                : "'" + text.replace("'", "'\\''") + "'";
    }

    private static boolean isInstruction(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> true;
            default -> false;
        };
    }

    private static String escaped(String text, IntPredicate which) {
        StringBuilder line = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (!which.test(c)) {
                line.appendCodePoint(c);
            } else if (c == '\n') {
                line.append("\\n");
            } else if (c == '\\' || c == '\'') {
                line.append('\\').appendCodePoint(c);
            } else {
                line.append(String.format(c > 0xffff ? "\\U%08x" : "\\u%04x", c));
            }
        });
        return line.toString();
    }
}
