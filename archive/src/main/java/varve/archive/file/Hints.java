package varve.archive.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;
import varve.archive.format.CorruptException;
import varve.archive.format.Node;

/// What an interrupted run left of the same archive: where in the stage a frame for some chunk may be.
///
/// Nothing here is believed. A frame found this way is used only if it decodes to exactly the bytes that would be
/// compressed now, so torn rows, torn frames and rows that are just being overwritten cost time, never truth.
public final class Hints {

    /// there is nothing to go by
    public static final Hints NONE = new Hints(null, MemorySegment.NULL, 0);

    private final @Nullable FileChannel data;
    private final MemorySegment rows;
    private final long dataSize;

    Hints(@Nullable FileChannel data, MemorySegment rows, long dataSize) {
        this.data = data;
        this.rows = rows;
        this.dataSize = dataSize;
    }

    /// {@return whether there are any}
    public boolean any() {
        return data != null;
    }

    /// Reads the frame that an earlier run may have made for a payload that begins with this chunk.
    ///
    /// @param into at least 33 MiB or as much as a frame of `contentSize` bytes can need
    /// @return the unverified bytes, empty if there are none
    public MemorySegment frame(long chunk, long contentSize, MemorySegment into) {
        MemorySegment none = into.asSlice(0, 0);
        if (data == null) {
            return none;
        }
        long low = 0;
        long high = rows.byteSize() / Node.SIZE;
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (Node.firstChunk(rows, middle * Node.SIZE) < chunk) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low * Node.SIZE >= rows.byteSize()) {
            return none;
        }
        Node node;
        try {
            node = Node.decode(rows, low * Node.SIZE, "stage");
        } catch (CorruptException e) {
            return none;
        }
        Node.Frame frame = node.frame();
        if (node.chunk() != chunk
                || node.payloadAt() != 0
                || frame.contentSize() != contentSize
                || frame.size() == 0
                || frame.size() > into.byteSize()
                || frame.position() < 0
                || frame.position() > dataSize - frame.size()) {
            return none;
        }
        MemorySegment bytes = into.asSlice(0, frame.size());
        try {
            return data.read(bytes.asByteBuffer(), frame.position()) == frame.size() ? bytes : none;
        } catch (IOException e) {
            return none; // what cannot be read any more is made again
        }
    }

    void close() throws IOException {
        if (data != null) {
            data.close();
        }
    }
}
