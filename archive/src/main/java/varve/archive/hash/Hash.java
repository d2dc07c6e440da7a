package varve.archive.hash;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/// 32 bytes of BLAKE3: a root, or the chaining value of a subtree. Which of the two is for its holder to know.
///
/// The four words are the bytes read as little-endian numbers.
public record Hash(long w0, long w1, long w2, long w3) {
    /// Size in bytes.
    public static final int SIZE = 32;

    private static final int BRIEF = 12;
    private static final ValueLayout.OfLong WORD = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

    /// {@return the hash whose bytes lie at a position}
    public static Hash read(MemorySegment from, long position) {
        return new Hash(
                from.get(WORD, position),
                from.get(WORD, position + 8),
                from.get(WORD, position + 16),
                from.get(WORD, position + 24));
    }

    public void write(MemorySegment to, long position) {
        to.set(WORD, position, w0);
        to.set(WORD, position + 8, w1);
        to.set(WORD, position + 16, w2);
        to.set(WORD, position + 24, w3);
    }

    /// @throws IllegalArgumentException if these are not 32 bytes
    public static Hash of(byte[] bytes) {
        if (bytes.length != SIZE) {
            throw new IllegalArgumentException("expected a hash of 32 bytes, found " + bytes.length);
        }
        return read(MemorySegment.ofArray(bytes), 0);
    }

    public byte[] bytes() {
        byte[] bytes = new byte[SIZE];
        write(MemorySegment.ofArray(bytes), 0);
        return bytes;
    }

    /// @param hex as [#toString] gives it
    /// @throws IllegalArgumentException unless these are 64 lower-case hex digits
    public static Hash parse(String hex) {
        boolean digits = hex.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f');
        if (hex.length() != 2 * SIZE || !digits) {
            throw new IllegalArgumentException("expected a hash of 64 lower-case hex digits, found '" + hex + "'");
        }
        return of(HexFormat.of().parseHex(hex));
    }

    /// {@return 64 hex digits, in the order of the bytes, as `b3sum` prints them}
    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes());
    }

    /// {@return the first 12 hex digits, enough for people to tell hashes apart}
    public String brief() {
        return toString().substring(0, BRIEF);
    }
}
