package varve.archive.format;

import java.lang.foreign.MemorySegment;

/// The head of a skippable zstd frame: `u32` magic, `u32` content size (RFC 8878 section 3.1.2).
public final class Skippable {

    public static final int HEAD_SIZE = 8;
    public static final int TAG_SIZE = 8;

    static final long MAGIC = 0x184D2A56L;
    static final long MAX_CONTENT = 0xffff_ffffL;

    private Skippable() {}

    /// Writes head and tag of a frame of ours.
    ///
    /// @param contentSize tag included
    static void encode(MemorySegment to, long position, long contentSize, String tag) {
        Bytes.u32(to, position, MAGIC);
        Bytes.u32(to, position + 4, contentSize);
        Bytes.tag(to, position + HEAD_SIZE, tag);
    }

    /// {@return whether a frame of ours with this tag and content size begins at `position`}
    static boolean is(MemorySegment from, long position, long contentSize, String tag) {
        return is(from, position, tag) && contentSize(from, position) == contentSize;
    }

    /// {@return whether a frame of ours with this tag begins at `position`}
    static boolean is(MemorySegment from, long position, String tag) {
        return from.byteSize() >= position + HEAD_SIZE + TAG_SIZE
                && Bytes.u32(from, position) == MAGIC
                && Bytes.hasTag(from, position + HEAD_SIZE, tag);
    }

    /// {@return the content size of the frame at `position`}
    static long contentSize(MemorySegment from, long position) {
        return Bytes.u32(from, position + 4);
    }
}
