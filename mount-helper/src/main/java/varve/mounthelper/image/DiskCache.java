package varve.mounthelper.image;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import varve.archive.hash.Hash;
import varve.archive.hash.SubtreeHasher;
import varve.archive.seal.AgeFormatException;
import varve.archive.seal.ChunkCipher;
import varve.archive.seal.FileKey;

/// Chunks that were proved and had to leave memory, in a file without a name that goes with the process. So a read of a few bytes that
/// nobody has asked for lately costs those bytes and not the decoding of their chunk; the page cache keeps what is in demand.
///
/// What is read back is proved again, as bytes from a medium are: while a chunk is in memory, and proved, the values of its groups of
/// 16 KiB are taken, which are inner nodes of the hash tree that the chunk's own hash is the top of. They stay in memory. A read brings
/// the whole groups that it touches, and what does not have its group's value never leaves: it counts as not there, and the archives are asked.
///
/// The file is a ring: what was written longest ago goes. Who reads a device from one end to the other seldom does so again, so what was read out as a whole is
/// taken only at the beginning of the file, in as much as the page cache has to spare, and as long as writing it is much less work than decoding it: where memory that was
/// free has to be had from a hypervisor first, it is not.
///
/// What comes from sealed archives is encrypted group by group, with a key that is made for this process, never leaves its memory, and goes with it.
///
/// Safe for use by several threads. Memory: 1/512 of what is on the disk. Close it when nobody reads any more.
final class DiskCache implements AutoCloseable {

    private static final int GROUP = SubtreeHasher.GROUP;

    private static final int SEALED_GROUP = GROUP + ChunkCipher.TAG_SIZE;
    private static final long PLAIN = -1;
    private static final int MOST_SEALED = 16; // groups that are written at once

    private static final int UNIT = 4 << 10;
    private static final long SLOW = 2; // bytes in a nanosecond: decoding and proving them takes some three times as long
    private static final int TRIES = 32; // one of so many is written all the same, to see whether it still is slow

    private final FileChannel file;
    private final long size;
    private final long mostWhole;
    private final LongSupplier nanoTime;
    private final Consumer<String> trouble;
    private final Map<Cache.Key, Kept> kept = new HashMap<>();
    private final Deque<Kept> ring = new ArrayDeque<>(); // the oldest first, which is the order of positions from `next` on, and around
    private final Queue<Prover> provers = new ConcurrentLinkedQueue<>(); // at rest
    private final Arena arena = Arena.ofShared();
    private @Nullable FileKey fileKey; // of what is encrypted
    private long sealed; // groups so far: the number of a group is never given twice
    private long next; // position in the file
    private boolean around; // whether it has been full
    private boolean slow; // the last write
    private int tries;
    private boolean broken;

    /// A chunk in the file.
    private static final class Kept {

        private final Cache.Key key;
        private final long position;
        private final long size;
        private final MemorySegment values; // of its groups
        private final long number; // of the first group, if it is encrypted, or PLAIN
        private boolean gone;

        Kept(Cache.Key key, long position, long size, MemorySegment values, long number) {
            this.key = key;
            this.position = position;
            this.size = size;
            this.values = values;
            this.number = number;
        }

        boolean encrypted() {
            return number != PLAIN;
        }

        /// {@return where in the file a group lies}
        ///
        /// @param at where it is in the chunk
        long place(long at) {
            return position + (encrypted() ? at / GROUP * SEALED_GROUP : at);
        }
    }

    /// What one thread needs at a time.
    private final class Prover {
        private final SubtreeHasher hasher = new SubtreeHasher();
        private final MemorySegment room = arena.allocate(GROUP, UNIT);
        private @Nullable Sealer sealer; // once something is encrypted

        Sealer sealer() {
            if (sealer == null) {
                sealer = new Sealer(
                        new ChunkCipher(fileKey(), new byte[ChunkCipher.NONCE_SIZE]), // what differs is the key
                        arena.allocate(MOST_SEALED * SEALED_GROUP, UNIT));
            }
            return sealer;
        }
    }

    /// What groups are encrypted with, and where.
    private record Sealer(ChunkCipher cipher, MemorySegment room) {}

    private synchronized FileKey fileKey() {
        if (fileKey == null) {
            fileKey = FileKey.random(new SecureRandom());
        }
        return fileKey;
    }

    /// @param folder that the file lies in
    /// @param size of the file at most
    /// @param mostWhole up to where in the file chunks are taken that were read out as a whole
    /// @param nanoTime a clock
    /// @param trouble takes a line if the file cannot be written any more
    DiskCache(Path folder, long size, long mostWhole, LongSupplier nanoTime, Consumer<String> trouble) throws IOException {
        Path path = Files.createTempFile(folder, "varve-", ".cache");
        this.file = FileChannel.open(
                path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE); // Linux: at once
        this.size = size;
        this.mostWhole = mostWhole;
        this.nanoTime = nanoTime;
        this.trouble = trouble;
    }

    synchronized boolean holds(Cache.Key key) {
        return kept.containsKey(key);
    }

    /// Drops all chunks of an image that nobody reads any more.
    synchronized void drop(Image image) {
        ring.removeIf(entry -> {
            boolean its = entry.key.image().equals(image);
            entry.gone |= its;
            return its;
        });
        kept.values().removeIf(entry -> entry.gone);
    }

    /// {@return room for the values of the groups of a chunk}
    static MemorySegment values(long chunkSize) {
        return MemorySegment.ofArray(new byte[(int) ((chunkSize + GROUP - 1) / GROUP) * Hash.SIZE]);
    }

    /// Keeps a chunk.
    ///
    /// @param content proved
    /// @param values of its groups, as they were when it was
    /// @param whole whether all of it was read
    /// @param secret whether it comes from sealed archives
    void keep(Cache.Key key, MemorySegment content, MemorySegment values, boolean whole, boolean secret) {
        if (whole && !worthIt(content.byteSize())) {
            return;
        }
        Kept entry = reserve(key, content.byteSize(), values, secret);
        if (entry == null) {
            return;
        }
        long took;
        try {
            long start = nanoTime.getAsLong();
            write(entry, content);
            took = nanoTime.getAsLong() - start;
        } catch (IOException e) {
            fail(e);
            return;
        }
        synchronized (this) {
            slow = took * SLOW > content.byteSize();
            if (!entry.gone && !broken) {
                kept.put(key, entry);
            }
        }
    }

    private synchronized boolean worthIt(long length) {
        return !around && next + length <= mostWhole && (!slow || ++tries % TRIES == 0);
    }

    private synchronized @Nullable Kept reserve(Cache.Key key, long length, MemorySegment values, boolean secret) {
        long groups = (length + GROUP - 1) / GROUP;
        long room = (length + (secret ? groups * ChunkCipher.TAG_SIZE : 0) + UNIT - 1) / UNIT * UNIT;
        if (broken || room > size) {
            return null;
        }
        if (next + room > size) {
            drop(next, size);
            next = 0;
            around = true;
        }
        drop(next, next + room);
        Kept entry = new Kept(key, next, length, values, secret ? sealed : PLAIN);
        sealed += secret ? groups : 0;
        ring.add(entry);
        next += room;
        return entry;
    }

    /// drops what was written longest ago, as long as it begins in a range
    private void drop(long from, long to) {
        while (around && !ring.isEmpty() && ring.peek().position >= from && ring.peek().position < to) {
            Kept old = ring.remove();
            old.gone = true;
            kept.remove(old.key, old);
        }
    }

    private void write(Kept entry, MemorySegment content) throws IOException {
        if (!entry.encrypted()) {
            write(content.asByteBuffer(), entry.position);
            return;
        }
        Prover prover = prover();
        try {
            Sealer sealer = prover.sealer();
            long filled = 0;
            for (long at = 0; at < content.byteSize(); at += GROUP) {
                long length = Math.min(GROUP, content.byteSize() - at);
                MemorySegment group = sealer.room.asSlice(filled, length + ChunkCipher.TAG_SIZE);
                MemorySegment.copy(content, at, group, 0, length);
                sealer.cipher.seal(entry.number + at / GROUP, false, group);
                filled += group.byteSize();
                if (filled == sealer.room.byteSize() || at + length == content.byteSize()) {
                    write(sealer.room.asSlice(0, filled).asByteBuffer(), entry.place(at) + group.byteSize() - filled);
                    filled = 0;
                }
            }
        } finally {
            provers.add(prover);
        }
    }

    private void write(ByteBuffer from, long position) throws IOException {
        for (long at = position; from.hasRemaining(); ) {
            at += file.write(from, at);
        }
    }

    private void fail(IOException e) {
        boolean first;
        synchronized (this) {
            first = !broken;
            broken = true;
            kept.clear();
            ring.clear();
        }
        if (first) {
            trouble.accept("what was decoded is not kept on the disk any more: " + e.getMessage());
        }
    }

    /// Reads a part of a chunk, if it is there, and proves it.
    ///
    /// @param offset of the chunk in its device
    /// @param start of the part in the chunk
    /// @return whether `into` holds it now; else what it holds is to be used by nobody
    boolean read(Cache.Key key, long offset, long start, MemorySegment into) {
        Kept entry;
        synchronized (this) {
            entry = kept.get(key);
        }
        if (entry == null) {
            return false;
        }
        Prover prover = prover();
        try {
            if (read(entry, offset, start, into, prover)) {
                return true;
            }
        } catch (AgeFormatException e) {
            // it is not what was written: as if it were not there
        } catch (IOException e) {
            fail(e);
        } finally {
            provers.add(prover);
        }
        synchronized (this) {
            kept.remove(key, entry);
        }
        return false;
    }

    private boolean read(Kept entry, long offset, long start, MemorySegment into, Prover prover) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long from = (start + done) / GROUP * GROUP; // of the first group
            long skip = start + done - from;
            long wanted = into.byteSize() - done;
            boolean toEnd = start + into.byteSize() == entry.size;
            long direct = skip > 0 ? 0 : toEnd ? wanted : wanted / GROUP * GROUP;
            MemorySegment bytes = direct > 0 ? into.asSlice(done, direct) : prover.room.asSlice(0, Math.min(GROUP, entry.size - from));
            load(entry, from, bytes, prover);
            if (!proved(entry, offset, from, bytes, prover.hasher)) {
                return false;
            }
            if (direct == 0) {
                direct = Math.min(wanted, bytes.byteSize() - skip);
                MemorySegment.copy(bytes, skip, into, done, direct);
            }
            done += direct;
        }
        return true;
    }

    /// reads whole groups
    private void load(Kept entry, long from, MemorySegment bytes, Prover prover) throws IOException {
        if (!entry.encrypted()) {
            read(entry.place(from), bytes.asByteBuffer());
            return;
        }
        Sealer sealer = prover.sealer();
        for (long at = 0; at < bytes.byteSize(); at += GROUP) {
            long length = Math.min(GROUP, bytes.byteSize() - at);
            MemorySegment group = sealer.room.asSlice(0, length + ChunkCipher.TAG_SIZE);
            read(entry.place(from + at), group.asByteBuffer());
            sealer.cipher.open(entry.number + (from + at) / GROUP, false, group, bytes.asSlice(at, length));
        }
    }

    private static boolean proved(Kept entry, long offset, long from, MemorySegment bytes, SubtreeHasher hasher) {
        for (long at = 0; at < bytes.byteSize(); at += GROUP) {
            MemorySegment group = bytes.asSlice(at, Math.min(GROUP, bytes.byteSize() - at));
            Hash value = Hash.read(entry.values, (from + at) / GROUP * Hash.SIZE);
            if (!hasher.subtree(group, offset + from + at).equals(value)) {
                return false;
            }
        }
        return true;
    }

    private void read(long position, ByteBuffer into) throws IOException {
        for (long at = position; into.hasRemaining(); ) {
            int count = file.read(into, at);
            if (count < 0) {
                throw new EOFException("it ends at " + at);
            }
            at += count;
        }
    }

    private Prover prover() {
        Prover prover = provers.poll();
        return prover == null ? new Prover() : prover;
    }

    @Override
    public void close() {
        arena.close();
        try {
            file.close();
        } catch (IOException e) {
            // it has no name, and nobody wants what is in it
        }
    }
}
