package varve.archive.foreign;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What `rbd export --export-format 2` writes: an image with all of its snapshots, the oldest first, each as a diff to the one before. The
/// last diff is the image as it was when it was exported.
///
/// A line, records of a letter, a size of 8 bytes (little-endian) and so many bytes, about how the image is stored, the letter `E`; a
/// line; the number of diffs (8 bytes); the diffs ([RbdDiff], version 2).
final class RbdExport {

    static final String LINE = "rbd image v2\n";
    static final String DIFFS = "rbd image diffs v2\n";

    private static final String KNOWN = "OTUCMF";
    private static final long MAX_RECORD = 1 << 20;
    private static final long MAX_DIFFS = 1 << 20;

    private final Cursor cursor;
    private long left = -1;
    private @Nullable String before;

    RbdExport(Cursor cursor) {
        this.cursor = cursor;
    }

    Optional<Step> next(PatchSink sink) throws IOException {
        if (left < 0) {
            left = head();
        }
        if (left == 0) {
            if (!cursor.atEnd()) {
                throw cursor.wrong("expected the end, found more");
            }
            return Optional.empty();
        }
        Step step = RbdDiff.read2(cursor, sink);
        if (!step.from().equals(Optional.ofNullable(before))) {
            throw cursor.wrong("expected a diff that starts from " + (before == null ? "nothing" : "snapshot " + before) + ", found "
                    + step.from().map(name -> "one from snapshot " + name).orElse("one from nothing"));
        }
        before = step.to().orElse(null);
        left--;
        if (before == null && left > 0) {
            throw cursor.wrong("expected the name of a snapshot, found none before the last diff");
        }
        return Optional.of(step);
    }

    /// {@return how many diffs there are}
    private long head() throws IOException {
        cursor.expect(LINE);
        for (int letter = cursor.u8("a record"); letter != 'E'; letter = cursor.u8("a record")) {
            if (KNOWN.indexOf(letter) < 0) {
                cursor.back(cursor.position() - 1);
                throw cursor.wrong("expected one of the records O, T, U, C, M, F, E, found byte " + letter);
            }
            long size = cursor.u64("the size of a record", ByteOrder.LITTLE_ENDIAN);
            if (size > MAX_RECORD) {
                throw cursor.wrong("expected a record of at most " + MAX_RECORD + " bytes, found " + size);
            }
            cursor.skip(size, "a record");
        }
        cursor.expect(DIFFS);
        long count = cursor.u64("the number of diffs", ByteOrder.LITTLE_ENDIAN);
        if (count == 0 || count > MAX_DIFFS) {
            throw cursor.wrong("expected 1 to " + MAX_DIFFS + " diffs, found " + count);
        }
        return count;
    }
}
