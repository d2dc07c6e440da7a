package varve.archive.block;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/// A device handed out in pieces, in order: known holes, and stretches of data of at most one unit.
///
/// [#next] is for the one thread that leads; [#load] for any.
public abstract class Feed implements AutoCloseable {

    /// bytes of data in a piece, unless chunks are larger; large enough for one efficient read, small enough for the caches
    private static final int UNIT = 1 << 20;

    private final int chunkSize;
    private final int unit;

    private Feed(int chunkLog) {
        this.chunkSize = 1 << chunkLog;
        this.unit = Math.max(UNIT, chunkSize);
    }

    /// A part of the device.
    ///
    /// @param offset on a chunk's border
    /// @param size whole chunks, but at the end of the device
    /// @param kind what is known of it without reading
    public record Piece(long offset, long size, Kind kind) {

        public boolean hole() {
            return kind == Kind.HOLE;
        }
    }

    /// What is known of a piece.
    public enum Kind {
        /// Nothing: it has to be read.
        DATA,
        /// It is zero.
        HOLE,
        /// It is as it was in the parent: somebody says so.
        SAME
    }

    /// Where a device is said to be as it was in the parent, in whole chunks.
    public interface Same {
        Same NOWHERE = new Same() {
            @Override
            public long from(long offset) {
                return Long.MAX_VALUE;
            }

            @Override
            public long until(long offset) {
                return offset;
            }
        };

        /// {@return the first offset from `offset` on, on a chunk's border, where it is the same, or the size or more}
        long from(long offset);

        /// {@return where the sameness at `offset` ends; `offset` itself if it is not the same there}
        long until(long offset);
    }

    public int chunkSize() {
        return chunkSize;
    }

    /// {@return the most bytes of data in a piece}
    public int unit() {
        return unit;
    }

    /// {@return the next piece, or null at the end}
    /// @param room of one unit, which may be filled already now
    public abstract @Nullable Piece next(MemorySegment room) throws IOException;

    /// Fills `room` with a piece of data, if [#next] has not done so.
    public abstract void load(Piece piece, MemorySegment room) throws IOException;

    /// {@return the size of the device as far as it is known: at least one byte more than what was handed out, unless that was all}
    public abstract long knownSize();

    /// Fills `into` with bytes of the device that [#next] has handed out.
    public abstract void read(long offset, MemorySegment into) throws IOException;

    /// Makes sure at the end that the device is still what it was at the beginning.
    public abstract void checkEnd() throws IOException;

    @Override
    public void close() {}

    /// {@return the pieces of a device or image}
    public static Feed of(BlockSource source, int chunkLog) {
        return of(source, chunkLog, Same.NOWHERE);
    }

    /// {@return the pieces of a device or image, of which parts need not be read}
    public static Feed of(BlockSource source, int chunkLog, Same same) {
        return new Feed(chunkLog) {
            private long offset;
            private long dataEnd;

            @Override
            public @Nullable Piece next(MemorySegment room) throws IOException {
                if (offset >= source.size()) {
                    return null;
                }
                long sameEnd = Math.min(source.size(), same.until(offset));
                if (sameEnd > offset) {
                    return handOut(sameEnd, Kind.SAME);
                }
                long limit = Math.min(source.size(), same.from(offset));
                if (offset >= dataEnd) {
                    long data = source.dataFrom(offset);
                    long holeEnd = data >= source.size() ? source.size() : data / chunkSize() * chunkSize();
                    dataEnd = data >= source.size() ? data : roundUp(source.dataUntil(data));
                    if (holeEnd > limit) {
                        holeEnd = limit;
                        dataEnd = limit; // look again after it
                    }
                    if (holeEnd > offset) {
                        return handOut(holeEnd, Kind.HOLE);
                    }
                }
                long unitEnd = offset / unit() * unit() + unit();
                return handOut(Math.min(Math.min(unitEnd, dataEnd), limit), Kind.DATA);
            }

            private Piece handOut(long end, Kind kind) {
                Piece piece = new Piece(offset, end - offset, kind);
                offset = end;
                return piece;
            }

            private long roundUp(long at) {
                return (at + chunkSize() - 1) / chunkSize() * chunkSize();
            }

            @Override
            public void load(Piece piece, MemorySegment room) throws IOException {
                source.read(piece.offset, room);
            }

            @Override
            public void read(long offset, MemorySegment into) throws IOException {
                source.read(offset, into);
            }

            @Override
            public long knownSize() {
                return source.size();
            }

            @Override
            public void checkEnd() throws IOException {
                source.checkSize();
            }
        };
    }

    /// {@return the pieces of a stream, which is read one unit ahead so that its end is seen in time}
    ///
    /// @param name of the stream, for messages
    public static Feed of(InputStream stream, String name, int chunkLog) {
        return new Feed(chunkLog) {
            private final ReadableByteChannel channel = Channels.newChannel(stream);
            private final Arena arena = Arena.ofShared();
            private final MemorySegment ahead = arena.allocate(unit(), 4096);
            private long offset;
            private long aheadSize = -1;

            @Override
            public @Nullable Piece next(MemorySegment room) throws IOException {
                if (aheadSize < 0) {
                    aheadSize = fill();
                }
                if (aheadSize == 0) {
                    return null;
                }
                MemorySegment.copy(ahead, 0, room, 0, aheadSize);
                Piece piece = new Piece(offset, aheadSize, Kind.DATA);
                offset += aheadSize;
                aheadSize = aheadSize < unit() ? 0 : fill();
                return piece;
            }

            private long fill() throws IOException {
                ByteBuffer buffer = ahead.asByteBuffer();
                try {
                    while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
                        // until the unit is full or the stream ends
                    }
                } catch (EOFException | DeviceException e) {
                    throw e;
                } catch (IOException e) {
                    throw new DeviceException(name + ": cannot read at " + (offset + buffer.position()) + ": " + e.getMessage(), e);
                }
                return buffer.position();
            }

            @Override
            public void load(Piece piece, MemorySegment room) {}

            @Override
            public void read(long offset, MemorySegment into) {
                throw new UnsupportedOperationException("a stream is read once");
            }

            @Override
            public long knownSize() {
                return offset + Math.max(0, aheadSize);
            }

            @Override
            public void checkEnd() {}

            @Override
            public void close() {
                arena.close();
            }
        };
    }
}
