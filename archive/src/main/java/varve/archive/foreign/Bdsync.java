package varve.archive.foreign;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A patch of bdsync, version 0.3.
///
/// | size | field |
/// |---|---|
/// | 11 | `BDSYNC 0.3`, line feed |
/// | 8 | size of the device after it |
/// | 2, n | name of the device, for people |
/// | 8, 2, n | offset, length, bytes: any number of times |
/// | 8, 2 | both 0: the end of them |
/// | 1, n, 1, m | name of a digest and the digest of the device after it, or one byte 0 |
///
/// Numbers have the byte order of the machine that wrote it.
final class Bdsync {

    static final String MAGIC = "BDSYNC 0.3\n";
    static final int MAX_NAME = 16384;

    /// what bdsync writes at most; readers take 65535
    static final int MAX_LENGTH = 32768;

    private static final int MAX_DIGEST = 127;

    private Bdsync() {}

    static Step read(Cursor cursor, PatchSink sink) throws IOException {
        List<String> notes = new ArrayList<>();
        cursor.expect(MAGIC);
        long start = cursor.position();
        ByteOrder order = order(cursor.bits("the size of the device", ByteOrder.LITTLE_ENDIAN));
        cursor.back(start);
        long size = cursor.u64("the size of the device", order);
        if (order == ByteOrder.BIG_ENDIAN) {
            notes.add("was made on a big-endian machine");
        }
        int length = cursor.u16("the length of a name", order);
        if (length > MAX_NAME) {
            throw cursor.wrong("expected a name of at most " + MAX_NAME + " bytes, found " + length);
        }
        String name = cursor.text(length, "the name of the device");
        notes.add("says that it is for " + name);
        sink.resize(size);
        long clipped = records(cursor, order, size, sink);
        if (clipped > 0) {
            notes.add("names " + clipped + " bytes past the end of the device, as bdsync does when one shrinks; they are left out");
        }
        Optional<Checksum> checksum = checksum(cursor);
        if (!cursor.atEnd()) {
            throw cursor.wrong("expected the end, found more");
        }
        return new Step(Optional.empty(), false, Optional.empty(), checksum, notes);
    }

    /// the size has its large digits at its end, unless it is absurd
    private static ByteOrder order(long littleEndian) {
        long bigEndian = Long.reverseBytes(littleEndian);
        return Long.compareUnsigned(bigEndian, littleEndian) < 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    }

    private static long records(Cursor cursor, ByteOrder order, long size, PatchSink sink) throws IOException {
        long clipped = 0;
        while (true) {
            long offset = cursor.u64("an offset", order);
            int length = cursor.u16("a length", order);
            if (length == 0) {
                if (offset != 0) {
                    throw cursor.wrong("expected bytes, or the end of them, found 0 bytes for offset " + offset);
                }
                return clipped;
            }
            long inside = Math.max(0, Math.min(length, size - offset));
            clipped += length - inside;
            long position = cursor.skip(length, "data");
            if (inside > 0) {
                sink.data(offset, inside, position);
            }
        }
    }

    private static Optional<Checksum> checksum(Cursor cursor) throws IOException {
        int nameLength = cursor.u8("the length of a digest's name");
        if (nameLength == 0) {
            return Optional.empty();
        }
        if (nameLength > MAX_DIGEST) {
            throw cursor.wrong("expected a digest's name of at most " + MAX_DIGEST + " bytes, found " + nameLength);
        }
        String name = new String(cursor.bytes(nameLength, "the name of a digest"), StandardCharsets.ISO_8859_1);
        int length = cursor.u8("the length of a digest");
        if (length == 0 || length > MAX_DIGEST) {
            throw cursor.wrong("expected a digest of 1 to " + MAX_DIGEST + " bytes, found " + length);
        }
        return Optional.of(new Checksum(name, cursor.bytes(length, "a digest")));
    }
}
