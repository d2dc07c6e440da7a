package varve.archive;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.concurrent.atomic.LongAdder;
import varve.archive.block.DeviceException;
import varve.archive.codec.FrameDecoder;
import varve.archive.codec.FrameEncoder;
import varve.archive.file.Hints;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.linux.LargePages;

/// What one worker makes frames and hashes with.
///
/// For one thread at a time; the owner lends it out.
class Press implements Workers.Tool {

    final SubtreeHasher hasher = new SubtreeHasher();
    final FrameDecoder decoder = new FrameDecoder();
    final Arena arena = Arena.ofShared();
    final SegmentAllocator memory = new LargePages(arena);

    /// room for what is decoded
    final MemorySegment decoded;

    private final FrameEncoder encoder;
    private final Hints hints;
    private final MemorySegment candidate;
    private final LongAdder reused;

    /// @param largestContent of a frame that is compressed
    /// @param decodedSize room that is wanted in [#decoded]
    /// @param reused counts bytes of frames that an interrupted run had made
    Press(Hints hints, int level, long largestContent, long decodedSize, LongAdder reused) {
        this.hints = hints;
        this.encoder = new FrameEncoder(level);
        this.reused = reused;
        this.candidate = memory.allocate(hints.any() ? FrameEncoder.bound(largestContent) : 1, 4096);
        this.decoded = memory.allocate(Math.max(hints.any() ? largestContent : 1, decodedSize), 4096);
    }

    /// {@return the frame of a payload that begins with this chunk}: one that an interrupted run has left, if it decodes to
    /// just these bytes, else a new one
    MemorySegment compress(long firstChunk, MemorySegment payload, MemorySegment frameRoom) throws IOException {
        if (hints.any()) {
            MemorySegment old = hints.frame(firstChunk, payload.byteSize(), candidate);
            if (old.byteSize() > 0 && decodesTo(old, payload)) {
                reused.add(old.byteSize());
                return frameRoom.asSlice(0, old.byteSize()).copyFrom(old);
            }
        }
        return frameRoom.asSlice(0, encoder.encode(payload, frameRoom));
    }

    private boolean decodesTo(MemorySegment frame, MemorySegment payload) {
        MemorySegment content = decoded.asSlice(0, payload.byteSize());
        return decoder.decode(frame, content) && content.mismatch(payload) < 0;
    }

    /// Decodes what was compressed.
    ///
    /// @throws DeviceException if it is not the payload: there is nobody to blame but the machine
    void requireContent(long firstChunk, MemorySegment frame, MemorySegment payload) throws DeviceException {
        if (!decodesTo(frame, payload)) {
            throw new DeviceException("chunk " + firstChunk + ": what was compressed decodes to something else, so memory or processor of this machine"
                    + " are faulty; nothing was changed: test the memory, or run this on another machine");
        }
    }

    /// {@return the hash of a zero node}
    Hash zeros(long offset, long size, boolean single) {
        return single ? hasher.whole(Arena.ofAuto().allocate(size, 8)) : hasher.zeros(offset, size);
    }

    @Override
    public void close() {
        encoder.close();
        decoder.close();
        arena.close();
    }
}
