package varve.archive.block;

/// How a device of some size is cut into chunks and blocks.
///
/// @param size of the device in bytes
/// @param chunkLog chunk size as a power of two, 16 to 24
public record Geometry(long size, int chunkLog) {

    public static final int BLOCK_LOG = 12;
    public static final int BLOCK_SIZE = 1 << BLOCK_LOG;
    public static final int MIN_CHUNK_LOG = 16;
    public static final int MAX_CHUNK_LOG = 24;
    public static final int DEFAULT_CHUNK_LOG = 19;

    /// FORMAT.md F032
    public static final long MAX_CHUNKS = 1L << 26;

    /// most that a zero node covers, unless chunks are larger: FORMAT.md section 3
    public static final long MAX_ZERO_NODE = 64L << 20;

    public Geometry {
        if (size < 0 || chunkLog < MIN_CHUNK_LOG || chunkLog > MAX_CHUNK_LOG) {
            throw new IllegalArgumentException("size " + size + ", chunk 2^" + chunkLog);
        }
    }

    public int chunkSize() {
        return 1 << chunkLog;
    }

    public long chunks() {
        return (size >>> chunkLog) + ((size & (chunkSize() - 1)) != 0 ? 1 : 0);
    }

    public long blocks() {
        return (size >>> BLOCK_LOG) + ((size & (BLOCK_SIZE - 1)) != 0 ? 1 : 0);
    }

    public int blocksPerChunk() {
        return 1 << (chunkLog - BLOCK_LOG);
    }

    /// {@return the offset of a chunk}
    public long offset(long chunk) {
        return chunk << chunkLog;
    }

    /// {@return bytes in `count` chunks from `chunk` on, less at the end of the device}
    public long length(long chunk, long count) {
        return Math.min(size, (chunk + count) << chunkLog) - (chunk << chunkLog);
    }

    /// {@return bytes in `count` blocks from `block` on, less at the end of the device}
    public long blockLength(long block, long count) {
        return Math.min(size, (block + count) << BLOCK_LOG) - (block << BLOCK_LOG);
    }

    /// {@return whether one chunk holds the whole device, whose hash is then its root}
    public boolean single() {
        return chunks() <= 1;
    }

    /// {@return how many chunks the zero node at `chunk` covers in a zero run that ends before `runEnd`: FORMAT.md F021}
    public long zeroNode(long chunk, long runEnd) {
        boolean toTheEnd = runEnd == chunks();
        long best = 1;
        for (long p = 2; (p << chunkLog) <= MAX_ZERO_NODE && p < chunks() && (chunk & (p - 1)) == 0; p <<= 1) {
            if (chunk + p <= runEnd || toTheEnd) {
                best = p;
            }
        }
        return Math.min(best, runEnd - chunk);
    }
}
