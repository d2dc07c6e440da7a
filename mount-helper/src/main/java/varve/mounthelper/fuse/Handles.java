package varve.mounthelper.fuse;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import varve.archive.block.BlockSource;
import varve.archive.block.BlockTarget;

/// What is open, by the numbers that the kernel got for it.
///
/// Safe for use by several threads.
final class Handles implements Closeable {

    private final Map<Long, BlockSource> files = new ConcurrentHashMap<>();
    private final Map<Long, List<Entry.Named>> folders = new ConcurrentHashMap<>();
    private final AtomicLong last = new AtomicLong();

    long add(BlockSource file) {
        long handle = last.incrementAndGet();
        files.put(handle, file);
        return handle;
    }

    /// @param content as it was when the folder was opened
    long add(List<Entry.Named> content) {
        long handle = last.incrementAndGet();
        folders.put(handle, content);
        return handle;
    }

    BlockSource file(long handle) throws FuseException {
        return there(files.get(handle));
    }

    BlockTarget target(long handle) throws FuseException {
        if (file(handle) instanceof BlockTarget target) {
            return target;
        }
        throw new FuseException(FuseException.EBADF);
    }

    List<Entry.Named> folder(long handle) throws FuseException {
        return there(folders.get(handle));
    }

    void close(long handle) throws IOException {
        folders.remove(handle);
        BlockSource file = files.remove(handle);
        if (file != null) {
            file.close();
        }
    }

    /// Closes what the kernel has not said to close: it does not when it is unmounted.
    @Override
    public void close() throws IOException {
        for (long handle : files.keySet()) {
            close(handle);
        }
    }

    private static <T> T there(T open) throws FuseException {
        if (open == null) {
            throw new FuseException(FuseException.EBADF);
        }
        return open;
    }
}
