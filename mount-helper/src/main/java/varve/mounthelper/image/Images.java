package varve.mounthelper.image;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import varve.archive.chain.Chain;
import varve.archive.file.Reading;
import varve.archive.file.StoredArchive;
import varve.archive.hash.Hashing;

/// Opens points in time, each once for all who read it, and bounds what they take together.
///
/// Safe for use by several threads. Close it when all images are closed.
public final class Images implements Closeable {

    /// what the cache takes: some eighty frames of deltas, so that two sequential readers of a month of deltas decode each once
    private static final long CACHE = 128 << 20;

    private final Cache cache;
    private final Decoders decoders;
    private final @Nullable DiskCache disk;
    private final Consumer<String> damage;
    private final Map<List<Path>, Shared> open = new HashMap<>();

    /// An image and how often it is open.
    private final class Shared {

        private final List<Path> files;
        private int users; // guarded by `open`
        private @Nullable Image image; // guarded by this

        Shared(List<Path> files) {
            this.files = files;
        }

        synchronized Image image(List<StoredArchive> path, String name) throws IOException {
            if (image == null) {
                image = show(open(path), name, () -> release(this));
            }
            return image;
        }

        private static Chain open(List<StoredArchive> path) throws IOException {
            Chain chain = Chain.open(path, Reading.OFTEN);
            try {
                chain.openData();
                return chain;
            } catch (Throwable e) {
                chain.close();
                throw e;
            }
        }

        synchronized void end() {
            try {
                if (image != null) {
                    image.end();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// @param damage takes a line for each chunk that cannot be read, and for each archive that other copies serve for
    public Images(Consumer<String> damage) throws IOException {
        this(damage, DiskRoom.NONE);
    }

    /// @param damage takes a line for each chunk that cannot be read, and for each archive that other copies serve for
    /// @param room on a disk, for what was decoded; what comes from sealed archives goes there encrypted
    public Images(Consumer<String> damage, DiskRoom room) throws IOException {
        this(damage, room, CACHE);
    }

    /// @param memory for what was decoded, in bytes
    Images(Consumer<String> damage, DiskRoom room, long memory) throws IOException {
        Hashing.warmUp();
        this.disk = room.open(damage);
        this.cache = new Cache(memory, Images::leaves);
        this.decoders = new Decoders(cache, memory, Math.max(2, Runtime.getRuntime().availableProcessors()));
        this.damage = damage;
    }

    /// Opens the point that a path of archives leads to.
    ///
    /// @param path full first
    /// @param name of the point, for messages
    /// @throws varve.archive.seal.WrongKeyException if something of it is sealed, and no key at hand opens it
    public Image open(List<StoredArchive> path, String name) throws IOException {
        List<Path> files = path.stream().map(StoredArchive::data).toList();
        Shared shared;
        synchronized (open) {
            shared = open.computeIfAbsent(files, Shared::new);
            shared.users++;
        }
        try {
            return shared.image(path, name);
        } catch (Throwable e) {
            release(shared);
            throw e;
        }
    }

    private Image show(Chain chain, String name, Runnable release) throws IOException {
        return new Image(chain, name, cache, disk, decoders, damage, release);
    }

    private static void leaves(Cache.Key key, MemorySegment content, MemorySegment values, boolean whole) {
        if (key.ofChunk()) {
            key.image().leaves(key, content, values, whole);
        }
    }

    private void release(Shared shared) {
        synchronized (open) {
            if (--shared.users > 0) {
                return;
            }
            open.remove(shared.files);
        }
        shared.end();
    }

    @Override
    public void close() {
        decoders.close();
        cache.close();
        if (disk != null) {
            disk.close();
        }
    }
}
