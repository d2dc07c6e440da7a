package varve.mounthelper.overlay;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import varve.archive.block.RefusedException;
import varve.archive.format.State;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;

/// The first page of an overlay's file, which binds it to a state of a device.
///
/// | offset | size | what |
/// |---|---|---|
/// | 0 | 8 | `VARVEOVL` |
/// | 8 | 4 | version: 1 |
/// | 12 | 4 | size of the name in bytes |
/// | 16 | 8 | size of the device in bytes |
/// | 24 | 32 | its root |
/// | 56 | 8 | when the overlay was made: milliseconds since 1970 |
/// | 64 | 256 | name of the point, UTF-8; for people |
/// | 320 | 3744 | zeros |
/// | 4064 | 32 | BLAKE3 of what is before it |
///
/// Numbers are little-endian.
///
/// @param state that the overlay is on
/// @param point what the point in time was called
/// @param made when, in whole milliseconds
public record OverlayHeader(State state, String point, Instant made) {

    static final int SIZE = 4096;

    private static final byte[] MAGIC = "VARVEOVL".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int NAME = 64;
    private static final int MOST_NAME = 256;
    private static final int HASH = SIZE - Hash.SIZE;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public OverlayHeader {
        if (state.size() < 1 || point.getBytes(StandardCharsets.UTF_8).length > MOST_NAME) {
            throw new IllegalArgumentException(state + ", \"" + point + "\"");
        }
    }

    /// {@return the name of the volume that the point is of}
    public String volume() {
        int at = point.indexOf('@');
        return at < 0 ? point : point.substring(0, at);
    }

    /// {@return whether a file that begins so means to be an overlay}
    static boolean begins(MemorySegment page) {
        return page.byteSize() >= MAGIC.length && page.asSlice(0, MAGIC.length).mismatch(MemorySegment.ofArray(MAGIC)) < 0;
    }

    void encode(MemorySegment page) {
        byte[] name = point.getBytes(StandardCharsets.UTF_8);
        page.fill((byte) 0);
        page.asSlice(0, MAGIC.length).copyFrom(MemorySegment.ofArray(MAGIC));
        page.set(U32, 8, VERSION);
        page.set(U32, 12, name.length);
        page.set(U64, 16, state.size());
        state.root().write(page, 24);
        page.set(U64, 56, made.toEpochMilli());
        page.asSlice(NAME, name.length).copyFrom(MemorySegment.ofArray(name));
        new SubtreeHasher().whole(page.asSlice(0, HASH)).write(page, HASH);
    }

    /// @param where file name for messages
    /// @throws RefusedException if it is none, or damaged, or of a later version
    static OverlayHeader decode(MemorySegment page, String where) throws RefusedException {
        if (!begins(page)) {
            throw new RefusedException(where + ": not an overlay; name another file, or one that does not exist to begin a new overlay");
        }
        int version = page.get(U32, 8);
        if (version != VERSION) {
            throw new RefusedException(where + ": an overlay of version " + version + ", this varve knows version " + VERSION + ": upgrade");
        }
        if (!Hash.read(page, HASH).equals(new SubtreeHasher().whole(page.asSlice(0, HASH)))) {
            throw damaged(where, "its hash is another");
        }
        int length = page.get(U32, 12);
        if (length < 0 || length > MOST_NAME) {
            throw damaged(where, "a name of " + length + " bytes");
        }
        byte[] name = page.asSlice(NAME, length).toArray(ValueLayout.JAVA_BYTE);
        try {
            State state = new State(Hash.read(page, 24), page.get(U64, 16));
            return new OverlayHeader(state, new String(name, StandardCharsets.UTF_8), Instant.ofEpochMilli(page.get(U64, 56)));
        } catch (IllegalArgumentException | DateTimeException e) {
            throw damaged(where, String.valueOf(e.getMessage()));
        }
    }

    private static RefusedException damaged(String where, String how) {
        return new RefusedException(where + ": the header of the overlay is damaged: " + how + "; what was written to it is lost unless "
                + "there is a copy");
    }
}
