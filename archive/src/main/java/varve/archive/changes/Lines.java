package varve.archive.changes;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A text in lines, each ended by LF, of bounded length.
final class Lines {

    private static final int MAX = 4096;

    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int at; // of the next line in the buffer
    private int end; // of what is in the buffer
    private long number;

    Lines(InputStream in) {
        this.in = in;
    }

    /// {@return the next line, or null at the end}
    /// @throws IllegalArgumentException if the last one is not ended, or one is too long
    @Nullable String next() throws IOException {
        number++;
        for (int size = 0; ; size++) {
            if (size > MAX) {
                throw wrong("too long");
            }
            if (at + size == end && !more()) {
                if (size == 0) {
                    return null;
                }
                throw wrong("cut off");
            }
            if (buffer[at + size] == '\n') {
                String line = new String(buffer, at, size, StandardCharsets.ISO_8859_1);
                at += size + 1;
                return line;
            }
        }
    }

    /// reads on, with what is left of the buffer at its beginning
    private boolean more() throws IOException {
        System.arraycopy(buffer, at, buffer, 0, end - at);
        end -= at;
        at = 0;
        int count = in.read(buffer, end, buffer.length - end);
        end += Math.max(0, count);
        return count > 0;
    }

    /// {@return what is between spaces}
    static String[] words(@Nullable String line) {
        String text = line == null ? "" : line.strip();
        List<String> words = new ArrayList<>(4);
        for (int from = 0, to; from < text.length(); from = to + 1) {
            int space = text.indexOf(' ', from);
            to = space < 0 ? text.length() : space;
            if (to > from) {
                words.add(text.substring(from, to));
            }
        }
        return words.toArray(String[]::new);
    }

    /// @throws IllegalArgumentException if it is no number of 0 to 2^63 - 1
    long number(String word) {
        try {
            return Decimal.parse("the number", word);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("line " + number + ": " + what);
    }
}
