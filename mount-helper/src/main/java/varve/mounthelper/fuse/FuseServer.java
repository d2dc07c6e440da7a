package varve.mounthelper.fuse;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import varve.archive.block.RefusedException;
import varve.archive.linux.Linux;
import varve.archive.linux.SystemCallException;

/// A tree that is mounted, and the threads that answer for it, until somebody unmounts it or it is closed.
///
/// A thread of this process must not wait for the tree, be it by looking at it or by mounting what is in it: killed
/// meanwhile, the process could not end, since the kernel would wait for an answer of its own.
public final class FuseServer implements Closeable {

    private static final int THREADS = 16; // each waits for one answer at a time
    private static final int PAGE = 4096;
    private static final Duration PATIENCE = Duration.ofMillis(100);

    private final Path folder;
    private final int device;
    private final Session session;
    private final Consumer<String> log;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean gone; // unmounted: what is on the folder now is not ours

    private FuseServer(Path folder, int device, Session session, Consumer<String> log) {
        this.folder = folder;
        this.device = device;
        this.session = session;
        this.log = log;
    }

    /// Mounts a tree. Programs that look at it wait until it answers, so it can be used at once.
    ///
    /// @param folder that there is; what is in it is hidden meanwhile
    /// @param log takes what is wrong, in a line; what a file finds wrong with itself it has to tell by itself
    public static FuseServer mount(Path folder, Entry.Folder root, FuseOptions options, Consumer<String> log) throws IOException {
        int user = Linux.user();
        int group = Linux.group();
        int device = Mounting.mount(folder.toRealPath(), options, user, group);
        FuseServer server = new FuseServer(folder, device, new Session(root, options, user, group, log), log);
        server.start();
        return server;
    }

    /// {@return what to tell somebody who may not mount}
    public static RefusedException notAllowed(Path folder) {
        return new RefusedException(folder + ": only root can mount; varve restore brings a point back to a file, varve serve needs no root either");
    }

    private void start() {
        for (int i = 0; i < THREADS; i++) {
            threads.add(Thread.ofPlatform().name("varve-fuse-" + i).daemon().start(this::serve));
        }
    }

    private void serve() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(session.requestSize(), PAGE);
            MemorySegment answer = arena.allocate(session.answerSize(), PAGE);
            while (true) {
                long size = Linux.read(device, request);
                switch ((int) Math.min(size, 0)) {
                    case 0 -> {
                        if (size < Protocol.IN_HEADER) {
                            log.accept(folder + ": a request of " + size + " bytes");
                            return;
                        }
                        answer(request.asSlice(0, size), answer);
                    }
                    case -SystemCallException.ENOENT, -SystemCallException.EAGAIN -> {} // whoever asked has gone
                    case -SystemCallException.ENODEV -> {
                        gone = true;
                        return;
                    }
                    default -> {
                        log.accept(folder + ": /dev/fuse: error " + -size);
                        return;
                    }
                }
            }
        }
    }

    private void answer(MemorySegment request, MemorySegment room) {
        int size = session.answer(request, room);
        if (size > 0) {
            long written = Linux.write(device, room.asSlice(0, size));
            if (written < 0 && written != -SystemCallException.ENOENT && written != -SystemCallException.ENODEV) { // whoever asked has gone
                log.accept(folder + ": /dev/fuse: an answer of " + size + " bytes: error " + -written);
            }
        }
    }

    /// Returns when it is unmounted.
    public void await() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /// Unmounts it, if that has not been done: nobody finds it any more, but who has a file open is served on.
    public void unmount() throws IOException {
        if (!gone) {
            Mounting.unmount(folder);
        }
    }

    /// Likewise. If somebody still has a file open, the threads live on until he is done, or this process ends.
    @Override
    public void close() throws IOException {
        unmount();
        boolean ended = true;
        boolean interrupted = false;
        for (Thread thread : threads) {
            try {
                ended &= thread.join(PATIENCE);
            } catch (InterruptedException e) {
                interrupted = true;
                ended = false;
            }
        }
        if (ended) {
            session.close();
            Linux.close(device);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
