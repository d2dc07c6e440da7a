package varve.archive.changes;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import varve.archive.format.Decimal;

/// A text in lines of bounded length, each ended by LF, of which one is looked at at a time. Words and numbers are read where they lie, since a list may have
/// millions of them.
final class Lines {

    private static final int MAX = 4096;

    /// Words of a line of which it is known where they are; the others are just counted.
    private static final int KEPT = 4;

    private final InputStream in;
    private final byte[] bytes = new byte[1 << 16];
    private int at; // of the next line
    private int end; // of what was read
    private long number;

    private final int[] starts = new int[KEPT];
    private final int[] ends = new int[KEPT];
    private int words;

    Lines(InputStream in) {
        this.in = in;
    }

    /// Goes to the next line.
    ///
    /// @return whether there is one
    /// @throws IllegalArgumentException if it is not ended, or too long
    boolean next() throws IOException {
        number++;
        words = 0;
        if (end - at <= MAX) {
            readOn();
        }
        for (int i = at; i < end; i++) {
            if (separates(bytes[i])) {
                if (bytes[i] == '\n') {
                    if (i - at > MAX) {
                        break;
                    }
                    at = i + 1;
                    return true;
                }
                continue;
            }
            int start = i;
            while (i + 1 < end && !separates(bytes[i + 1])) {
                i++;
            }
            if (words < KEPT) {
                starts[words] = start;
                ends[words] = i + 1;
            }
            words++;
        }
        if (at == end) {
            return false;
        }
        throw wrong(end - at > MAX ? "too long" : "cut off");
    }

    private static boolean separates(byte b) {
        return b <= ' ' && (b == ' ' || b == '\n' || b == '\t' || b == '\r');
    }

    /// fills the buffer, as far as there is something to read, and has what is left of it at its beginning
    private void readOn() throws IOException {
        System.arraycopy(bytes, at, bytes, 0, end - at);
        end -= at;
        at = 0;
        end += in.readNBytes(bytes, end, bytes.length - end);
    }

    /// {@return how many words the line has}
    int words() {
        return words;
    }

    /// {@return whether the line has just these words}
    boolean has(String... expected) {
        boolean same = words == expected.length;
        for (int i = 0; i < expected.length && same; i++) {
            same = has(i, expected[i]);
        }
        return same;
    }

    /// {@return whether this is a word of the line}
    ///
    /// @param i less than [#KEPT]
    boolean has(int i, String word) {
        boolean same = i < words && ends[i] - starts[i] == word.length();
        for (int k = 0; k < word.length() && same; k++) {
            same = bytes[starts[i] + k] == word.charAt(k);
        }
        return same;
    }

    /// {@return a word of the line}
    String word(int i) {
        return new String(bytes, starts[i], ends[i] - starts[i], StandardCharsets.ISO_8859_1);
    }

    /// {@return a word of the line as a number}
    /// @throws IllegalArgumentException if it is no number of 0 to 2^63 - 1
    long number(int i) {
        long value = Decimal.parse(bytes, starts[i], ends[i]);
        if (value < 0) {
            throw wrong(Decimal.none("the number", word(i)));
        }
        return value;
    }

    IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("line " + number + ": " + what);
    }
}
