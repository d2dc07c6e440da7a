package varve.archive.foreign;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A diff of Ceph RBD, as `rbd export-diff` writes it (version 1) and as it is inside of `rbd export --export-format 2` (version 2).
///
/// A line, then records, each a letter and what belongs to it; in version 2 the size of that stands between the two. All is little-endian.
///
/// | letter | what |
/// |---|---|
/// | `f`, `t` | name of the snapshot that it starts from, that it leads to: its length (4 bytes) and itself |
/// | `s` | size of the image after it (8) |
/// | `w` | offset (8), length (8), data |
/// | `z` | offset (8), length (8) of zeros |
/// | `p` | in version 2: whether the snapshot is protected (1) |
/// | `e` | the end |
final class RbdDiff {

    static final String LINE = "rbd diff v1\n";
    static final String LINE_2 = "rbd diff v2\n";
    static final int MAX_NAME = 4096;

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    private final Cursor cursor;
    private final PatchSink sink;
    private final boolean sized;
    private boolean dataSeen;
    private @Nullable String from;
    private @Nullable String to;

    /// @param sized whether it is of version 2
    private RbdDiff(Cursor cursor, PatchSink sink, boolean sized) {
        this.cursor = cursor;
        this.sink = sink;
        this.sized = sized;
    }

    /// Reads a file that holds a diff of version 1 and nothing else.
    static Step readAlone(Cursor cursor, PatchSink sink) throws IOException {
        cursor.expect(LINE);
        Step step = new RbdDiff(cursor, sink, false).records();
        if (!cursor.atEnd()) {
            throw cursor.wrong("expected the end, found more");
        }
        return step;
    }

    /// Reads a diff of version 2.
    static Step read2(Cursor cursor, PatchSink sink) throws IOException {
        cursor.expect(LINE_2);
        return new RbdDiff(cursor, sink, true).records();
    }

    private Step records() throws IOException {
        while (true) {
            int letter = cursor.u8("a record");
            if (letter == 'e') {
                return new Step(Optional.ofNullable(from), from == null, Optional.ofNullable(to), Optional.empty(), List.of());
            }
            long size = sized ? cursor.u64("the size of a record", LE) : -1;
            long start = cursor.position();
            boolean known = record(letter);
            if (sized && !known) {
                cursor.skip(size, "a record of a kind that is not known");
            } else if (!known) {
                cursor.back(start - 1);
                throw cursor.wrong("expected one of the records f, t, s, w, z, e, found byte " + letter);
            } else if (sized && letter != 'p' && cursor.position() != start + size) { // Ceph says 8 of the one byte of p
                throw cursor.wrong("expected the end of a record of " + size + " bytes at " + (start + size));
            }
        }
    }

    private boolean record(int letter) throws IOException {
        switch (letter) {
            case 'f' -> from = name(from);
            case 't' -> to = name(to);
            case 's' -> {
                long size = cursor.u64("the size of the image", LE);
                if (dataSeen) {
                    throw cursor.wrong("expected the size of the image before data");
                }
                sink.resize(size);
            }
            case 'w' -> {
                dataSeen = true;
                long offset = cursor.u64("an offset", LE);
                long length = cursor.u64("a length", LE);
                sink.data(offset, length, cursor.skip(length, "data"));
            }
            case 'z' -> {
                dataSeen = true;
                long offset = cursor.u64("an offset", LE);
                sink.zero(offset, cursor.u64("a length", LE));
            }
            case 'p' -> {
                if (!sized) {
                    return false;
                }
                cursor.u8("whether a snapshot is protected");
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private String name(@Nullable String known) throws IOException {
        long length = cursor.u32("the length of a name", LE);
        if (known != null) {
            throw cursor.wrong("names a snapshot twice");
        }
        if (length == 0 || length > MAX_NAME) {
            throw cursor.wrong("expected the name of a snapshot, of 1 to " + MAX_NAME + " bytes, found " + length
                    + " bytes; later versions of Ceph may write something else here");
        }
        return cursor.text((int) length, "the name of a snapshot");
    }
}
