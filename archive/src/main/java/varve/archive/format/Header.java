package varve.archive.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.UUID;
import varve.archive.block.Geometry;
import varve.archive.hash.Hash;

/// What is known of an archive before the device is read; the first frame of the file. FORMAT.md section 4.1.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | tag `VARVEHDR` |
/// | 8 | 2 | version |
/// | 10 | 2 | kind |
/// | 12 | 1 | chunk size, log 2 |
/// | 13 | 1 | block size, log 2 |
/// | 14 | 2 | 0 |
/// | 16 | 8 | feature bits |
/// | 24 | 16 | volume id |
/// | 40 | 8 | parent size |
/// | 48 | 32 | parent root |
/// | 80 | 16 | check |
///
/// @param kind full or delta
/// @param chunkLog chunk size as a power of two
/// @param volumeId of the volume
/// @param parent what a delta applies to; [State#NOTHING] in a full
public record Header(Kind kind, int chunkLog, UUID volumeId, State parent) {

    public static final int VERSION = 1;

    static final String TAG = "VARVEHDR";
    static final int CONTENT_SIZE = 96;

    /// bytes of the whole frame; the first data frame begins here
    public static final int FRAME_SIZE = Skippable.HEAD_SIZE + CONTENT_SIZE;

    public Header {
        if (chunkLog < Geometry.MIN_CHUNK_LOG || chunkLog > Geometry.MAX_CHUNK_LOG) {
            throw new IllegalArgumentException("chunk 2^" + chunkLog);
        }
        if (kind == Kind.FULL && !parent.equals(State.NOTHING)) {
            throw new IllegalArgumentException("full with a parent");
        }
    }

    /// Writes the frame to the beginning of `to`.
    public void encode(MemorySegment to) {
        MemorySegment content = to.asSlice(Skippable.HEAD_SIZE, CONTENT_SIZE);
        content.fill((byte) 0);
        Skippable.encode(to, 0, CONTENT_SIZE, TAG);
        encodeShared(content);
        byte[] check = Bytes.check(content, CONTENT_SIZE - Bytes.CHECK_SIZE);
        MemorySegment.copy(MemorySegment.ofArray(check), 0, content, CONTENT_SIZE - check.length, check.length);
    }

    void encodeShared(MemorySegment content) {
        Bytes.u16(content, 8, VERSION);
        Bytes.u16(content, 10, kind.code());
        Bytes.u8(content, 12, chunkLog);
        Bytes.u8(content, 13, Geometry.BLOCK_LOG);
        writeUuid(content, 24, volumeId);
        Bytes.u64(content, 40, parent.size());
        parent.root().write(content, 48);
    }

    /// {@return the header in the frame at the beginning of `from`}
    /// @param where file name for messages
    /// @throws CorruptException if it is none, F001 to F009
    /// @throws UnsupportedException if a later version wrote it
    public static Header decode(MemorySegment from, String where) throws CorruptException, UnsupportedException {
        if (from.byteSize() < FRAME_SIZE || !Skippable.is(from, 0, CONTENT_SIZE, TAG)) {
            throw new CorruptException(Rule.F001, where, "expected a header frame at position 0");
        }
        MemorySegment content = from.asSlice(Skippable.HEAD_SIZE, CONTENT_SIZE);
        byte[] found = content.asSlice(80, Bytes.CHECK_SIZE).toArray(ValueLayout.JAVA_BYTE);
        if (!Arrays.equals(found, Bytes.check(content, 80))) {
            throw new CorruptException(Rule.F003, where, "the check over its bytes does not hold");
        }
        return decodeShared(content, where);
    }

    static Header decodeShared(MemorySegment content, String where) throws CorruptException, UnsupportedException {
        int version = Bytes.u16(content, 8);
        if (version != VERSION) {
            throw new UnsupportedException(where + ": version " + version + " (F004), this varve reads " + VERSION);
        }
        long features = Bytes.u64(content, 16);
        if (features != 0) {
            throw new UnsupportedException(
                    where + ": feature bits 0x" + Long.toHexString(features) + " (F005), this varve knows none");
        }
        int code = Bytes.u16(content, 10);
        if (code != Kind.FULL.code() && code != Kind.DELTA.code()) {
            throw new CorruptException(Rule.F006, where, "kind " + code);
        }
        Kind kind = code == Kind.FULL.code() ? Kind.FULL : Kind.DELTA;
        int chunkLog = Bytes.u8(content, 12);
        int blockLog = Bytes.u8(content, 13);
        if (chunkLog < Geometry.MIN_CHUNK_LOG || chunkLog > Geometry.MAX_CHUNK_LOG || blockLog != Geometry.BLOCK_LOG) {
            throw new CorruptException(Rule.F007, where, "chunk 2^" + chunkLog + ", block 2^" + blockLog);
        }
        if (!Bytes.zero(content, 14, 2)) {
            throw new CorruptException(Rule.F008, where, "header offset 14");
        }
        State parent = new State(Hash.read(content, 48), Bytes.u64(content, 40));
        if (kind == Kind.FULL && !parent.equals(State.NOTHING)) {
            throw new CorruptException(Rule.F009, where, "parent " + parent);
        }
        return new Header(kind, chunkLog, readUuid(content, 24), parent);
    }

    private static UUID readUuid(MemorySegment from, long position) {
        return new UUID(Long.reverseBytes(Bytes.u64(from, position)), Long.reverseBytes(Bytes.u64(from, position + 8)));
    }

    private static void writeUuid(MemorySegment to, long position, UUID id) {
        Bytes.u64(to, position, Long.reverseBytes(id.getMostSignificantBits()));
        Bytes.u64(to, position + 8, Long.reverseBytes(id.getLeastSignificantBits()));
    }
}
