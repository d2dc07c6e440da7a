package varve.archive.foreign;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A dump of lvmsync, or a snapback, which has the same form and leads back.
///
/// A line, then records until the end of the file: an offset of 8 bytes, a length of 4 (big-endian), so many bytes. What the offset means has changed:
///
/// | line | written | length | offset |
/// |---|---|---|---|
/// | `PROTO[1]` | 2011 | none: 4096 bytes | number of the chunk, as the machine writes it |
/// | `PROTO[2]` | until 2014-05 | yes | number of the chunk; little-endian on x86, by mistake |
/// | `PROTO[3]` | 2014-05 to 2014-09 | yes | bytes; little-endian on x86, by mistake |
/// | `PROTO[3]` | since 3.0.0 | yes | bytes, big-endian |
///
/// So the byte order is the one in which all offsets lie inside of the device. Version 3.0.0 wrote nonsense for classic snapshots: there
/// is none.
final class Lvmsync {

    static final String LINE = "lvmsync PROTO[3]\n";

    private static final int FIRST_CHUNK = 4096;
    private static final int SECTOR = 512;

    /// the largest chunk of a thin pool
    private static final long MAX_LENGTH = 1 << 30;

    private Lvmsync() {}

    static Step read(Cursor cursor, long size, PatchSink sink) throws IOException {
        String line = cursor.line(64, "the line lvmsync PROTO[3]");
        return switch (line) {
            case "lvmsync PROTO[1]" -> read(cursor, 1, size, sink);
            case "lvmsync PROTO[2]" -> read(cursor, 2, size, sink);
            case "lvmsync PROTO[3]" -> read(cursor, 3, size, sink);
            default -> throw cursor.wrong("expected lvmsync PROTO[1], [2] or [3], found \"" + line + "\"");
        };
    }

    /// Reads a snapback without its first line.
    static Step readHeadless(Cursor cursor, long size, PatchSink sink) throws IOException {
        return read(cursor, 3, size, sink);
    }

    private static Step read(Cursor cursor, int version, long size, PatchSink sink) throws IOException {
        long start = cursor.position();
        List<String> notes = new ArrayList<>();
        boolean little = true;
        boolean big = true;
        while (!cursor.atEnd()) {
            Record record = Record.read(cursor, version);
            little &= record.fits(Long.reverseBytes(record.bits), version, size);
            big &= record.fits(record.bits, version, size);
        }
        if (!little && !big) {
            throw cursor.wrong("in either byte order there are offsets past the end of the device, which has " + size
                    + " bytes: it is the dump of another device, or of a classic snapshot by lvmsync 3.0.0, which wrote nonsense");
        }
        boolean usual = version == 3 ? big : !little;
        if (version == 3 ? !usual : usual) {
            notes.add("its offsets are " + (big ? "big" : "little") + "-endian, to judge by where they lie"
                    + (version == 3 ? ", as versions before 3.0.0 wrote them" : ""));
        }
        if (version < 3) {
            notes.add("has the form PROTO[" + version + "]");
        }
        cursor.back(start);
        while (!cursor.atEnd()) {
            Record record = Record.read(cursor, version);
            sink.data(record.offset(usual ? record.bits : Long.reverseBytes(record.bits), version), record.length, record.position);
        }
        return Step.plain(notes);
    }

    /// @param bits of the offset, as big-endian
    private record Record(long bits, long length, long position) {

        static Record read(Cursor cursor, int version) throws IOException {
            long bits = cursor.bits("an offset", ByteOrder.BIG_ENDIAN);
            long length = version == 1 ? FIRST_CHUNK : cursor.u32("a length", ByteOrder.BIG_ENDIAN);
            if (length == 0 || length > MAX_LENGTH || length % SECTOR != 0) {
                throw cursor.wrong("expected a length of 512 bytes to 1 GiB in whole sectors, found " + length);
            }
            return new Record(bits, length, cursor.skip(length, "data"));
        }

        long offset(long number, int version) {
            return version == 3 ? number : number * length;
        }

        boolean fits(long number, int version, long size) {
            long most = size - length;
            return number >= 0 && most >= 0 && number <= (version == 3 ? most : most / length) && (version != 3 || number % SECTOR == 0);
        }
    }
}
