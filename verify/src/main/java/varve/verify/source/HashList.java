package varve.verify.source;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import varve.archive.block.Geometry;
import varve.archive.format.Manifest;
import varve.archive.format.State;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hash;

/// The hashes of a device in a file of their own, a line of text for each node: FORMAT.md section 12.
///
/// Written and read as a stream, so a list of any length takes no memory.
public final class HashList {

    private static final String FORMAT = "varve-hashes-1";
    static final int MAX_HEAD = 64 << 10;
    static final int MAX_LINE = 128;

    private HashList() {}

    /// The first line: what was hashed.
    ///
    /// @param state size and root
    /// @param chunkLog chunk size as a power of two
    /// @param time when reading began, whole milliseconds
    /// @param source what was read
    public record Head(State state, int chunkLog, Instant time, String source) {

        private static final Pattern LINE = Pattern.compile(
                FORMAT + " (0|[1-9][0-9]{0,18}) ([1-9][0-9]{4,7}) ([0-9a-f]{64}) ([0-9TZ:.-]{24}) (.*)");

        /// {@return the line, without its end}
        public String encode() {
            return FORMAT + " " + state.size() + " " + (1L << chunkLog) + " " + state.root() + " " + Manifest.text(time) + " " + escape(source);
        }

        /// {@return the head that a line is}
        /// @throws UnsupportedException if a later version wrote it
        /// @throws DamagedListException if it is none
        public static Head decode(String line, String where) throws IOException {
            if (line.startsWith("varve-hashes-") && !line.startsWith(FORMAT + " ")) {
                throw new UnsupportedException(where + ": " + line.substring(0, Math.min(20, line.length())) + ", this varve reads " + FORMAT);
            }
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches()) {
                throw new DamagedListException(where + ": expected the head of a hash list in line 1");
            }
            try {
                long chunkSize = Long.parseLong(matcher.group(2));
                Head head = new Head(
                        new State(Hash.parse(matcher.group(3)), Long.parseLong(matcher.group(1))),
                        Long.numberOfTrailingZeros(chunkSize),
                        Instant.parse(matcher.group(4)),
                        unescape(matcher.group(5)));
                new Geometry(head.state.size(), head.chunkLog); // refuses what is out of range
                if (head.encode().equals(line)) {
                    return head;
                }
            } catch (IllegalArgumentException | DateTimeException e) {
                // falls through
            }
            throw new DamagedListException(where + ": impossible values in line 1");
        }

        private static String escape(String text) {
            StringBuilder escaped = new StringBuilder();
            for (char c : text.toCharArray()) {
                if (c == '\\') {
                    escaped.append("\\\\");
                } else if (c < ' ') {
                    escaped.append(String.format("\\u%04x", (int) c));
                } else {
                    escaped.append(c);
                }
            }
            return escaped.toString();
        }

        private static String unescape(String text) {
            return Pattern.compile("\\\\(\\\\|u(00[0-9a-f]{2}))").matcher(text).replaceAll(match -> {
                String code = match.group(2);
                return Matcher.quoteReplacement(code == null ? "\\" : String.valueOf((char) Integer.parseInt(code, 16)));
            });
        }
    }

    /// A line behind the first: one node of the device.
    ///
    /// @param hash as in a node table: FORMAT.md section 3
    public record Entry(long offset, long size, Hash hash, boolean zero) {

        private static final Pattern LINE = Pattern.compile("(0|[1-9][0-9]{0,18}) ([1-9][0-9]{0,18}) ([0-9a-f]{64})( zero)?");

        public long end() {
            return offset + size;
        }

        /// {@return the line, without its end}
        public String encode() {
            return offset + " " + size + " " + hash + (zero ? " zero" : "");
        }

        /// {@return the entry that a line is}
        /// @throws DamagedListException if it is none
        public static Entry decode(String line, String where) throws DamagedListException {
            Matcher matcher = LINE.matcher(line);
            try {
                if (matcher.matches()) {
                    return new Entry(
                            Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)), Hash.parse(matcher.group(3)), matcher.group(4) != null);
                }
            } catch (NumberFormatException e) {
                // falls through
            }
            throw new DamagedListException(where + ": expected offset, size and hash of a node");
        }
    }

    /// Takes the nodes of a device, in order.
    @FunctionalInterface
    public interface Taker {
        void take(Entry entry) throws IOException;
    }
}
