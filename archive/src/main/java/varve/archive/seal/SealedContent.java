package varve.archive.seal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The content of a sealed file, decrypted where it is read, in any order.
///
/// That the file ends where it was sealed to end is proved first, by its last chunk. Then each chunk that is touched is proved before a byte of
/// it is given out. Safe for use by several threads.
public final class SealedContent implements AutoCloseable {

    /// that are kept: many files may be open at once
    private static final int MOST_ROOMS = 4;

    private final long headerSize;
    private final FileKey key;
    private final byte[] nonce;
    private final long size;
    private final long chunks;
    private final ConcurrentLinkedQueue<Room> rooms = new ConcurrentLinkedQueue<>();

    /// Reads the sealed file.
    public interface Bytes {
        /// Fills `into` from a position of the file on.
        void read(long position, MemorySegment into) throws IOException;

        /// {@return as many bytes as `room` has, there or where they lie already}
        default MemorySegment at(long position, MemorySegment room) throws IOException {
            read(position, room);
            return room;
        }
    }

    /// A cipher, and memory for a chunk; for one thread at a time. It keeps its last chunk, decrypted: frames begin and end anywhere, and
    /// the next one mostly begins in it.
    private static final class Room {
        final MemorySegment chunk = ChunkCipher.room();
        final ChunkCipher cipher;
        volatile long number = -1; // of the chunk that it holds, or -1

        Room(ChunkCipher cipher) {
            this.cipher = cipher;
        }
    }

    /// @param headerSize where the payload begins
    /// @param fileSize where it ends
    /// @throws AgeFormatException if the file does not end as it was sealed to
    public SealedContent(long headerSize, long fileSize, FileKey key, Bytes file) throws IOException {
        this.headerSize = headerSize;
        this.key = key;
        this.nonce = new byte[ChunkCipher.NONCE_SIZE];
        this.size = ChunkCipher.contentSize(fileSize - headerSize);
        this.chunks = ChunkCipher.chunks(size);
        file.read(headerSize, MemorySegment.ofArray(nonce));
        Room room = new Room(new ChunkCipher(key, nonce));
        load(room, chunks - 1, file);
        rooms.add(room);
    }

    /// {@return the size of the content}
    public long size() {
        return size;
    }

    /// {@return where in the file the chunk begins that holds the byte of the content at `position`}
    public long sealedPosition(long position) {
        return headerSize + ChunkCipher.NONCE_SIZE + position / ChunkCipher.CHUNK_SIZE * ChunkCipher.SEALED_CHUNK_SIZE;
    }

    /// {@return where in the file the chunk ends that holds the byte of the content before `end`}
    public long sealedEnd(long end) {
        long last = Math.max(0, end - 1) / ChunkCipher.CHUNK_SIZE * ChunkCipher.CHUNK_SIZE;
        return sealedPosition(last) + Math.min(ChunkCipher.CHUNK_SIZE, size - last) + ChunkCipher.TAG_SIZE;
    }

    /// Fills `into` with content from `position` on; all of it has to lie within the content.
    ///
    /// @param file that is read: what was opened, or a copy of it
    /// @throws AgeFormatException if a chunk is not what was sealed; then nothing of that chunk was given out
    public void read(long position, MemorySegment into, Bytes file) throws IOException {
        Room room = room(position / ChunkCipher.CHUNK_SIZE);
        try {
            for (long done = 0; done < into.byteSize(); ) {
                long at = position + done;
                long number = at / ChunkCipher.CHUNK_SIZE;
                int from = (int) (at % ChunkCipher.CHUNK_SIZE);
                int part = (int) Math.min(ChunkCipher.CHUNK_SIZE - from, into.byteSize() - done);
                if (part == contentSize(number) && room.number != number && into.isNative()) {
                    open(room, number, into.asSlice(done, part), file);
                } else {
                    load(room, number, file);
                    MemorySegment.copy(room.chunk, from, into, done, part);
                }
                done += part;
            }
        } finally {
            if (rooms.size() < MOST_ROOMS) {
                rooms.add(room);
            }
        }
    }

    /// {@return a room that nobody else has; the one that holds a chunk, if there is one}
    private Room room(long number) {
        for (Room room : rooms) {
            if (room.number == number && rooms.remove(room)) {
                return room;
            }
        }
        Room room = rooms.poll();
        return room != null ? room : new Room(new ChunkCipher(key, nonce));
    }

    private void load(Room room, long number, Bytes file) throws IOException {
        if (room.number == number) {
            return;
        }
        open(room, number, room.chunk.asSlice(0, contentSize(number)), file);
        room.number = number;
    }

    private void open(Room room, long number, MemorySegment content, Bytes file) throws IOException {
        room.number = -1;
        MemorySegment chunk = file.at(
                sealedPosition(number * ChunkCipher.CHUNK_SIZE), room.chunk.asSlice(0, content.byteSize() + ChunkCipher.TAG_SIZE));
        room.cipher.open(number, number == chunks - 1, chunk, content);
    }

    private int contentSize(long number) {
        return (int) Math.min(ChunkCipher.CHUNK_SIZE, size - number * ChunkCipher.CHUNK_SIZE);
    }

    /// Forgets what was decrypted.
    @Override
    public void close() {
        for (Room room = rooms.poll(); room != null; room = rooms.poll()) {
            room.chunk.fill((byte) 0);
        }
    }
}
