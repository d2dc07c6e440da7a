package varve.archive.changes;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// A text in lines, each ended by LF, of bounded length.
final class Lines {

    private static final int MAX = 4096;

    private final InputStream in;
    private final byte[] line = new byte[MAX];
    private long number;

    Lines(InputStream in) {
        this.in = in;
    }

    /// {@return the next line, or null at the end}
    /// @throws IllegalArgumentException if the last one is not ended, or one is too long
    @Nullable String next() throws IOException {
        number++;
        for (int size = 0; ; size++) {
            int c = in.read();
            if (c == '\n') {
                return new String(line, 0, size, StandardCharsets.ISO_8859_1);
            }
            if (c < 0 && size == 0) {
                return null;
            }
            if (c < 0 || size == MAX) {
                throw wrong(c < 0 ? "cut off" : "too long");
            }
            line[size] = (byte) c;
        }
    }

    static String[] words(@Nullable String line) {
        return line == null ? new String[0] : line.strip().split(" +");
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
