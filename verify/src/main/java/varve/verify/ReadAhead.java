package varve.verify;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import varve.archive.file.StoredArchive;
import varve.archive.hash.Hashing;
import varve.verify.work.Crew;
import varve.verify.work.Watcher;

/// Data files that are proved by their hashes alone, read before they are asked for, so that bytes are hashed while tables are being
/// checked.
///
/// What is found of a file is kept apart until it is asked for: so findings come in the order in which the files are asked for, not in
/// that in which they are read.
///
/// For one thread, the one that leads. Close it: then files that nobody has asked for are read no further.
final class ReadAhead implements AutoCloseable {

    private final ExecutorService reader =
            Executors.newSingleThreadExecutor(task -> Thread.ofPlatform().name("varve-read-ahead").daemon().unstarted(task));
    private final Map<StoredArchive, Future<Read>> files = new HashMap<>();

    /// What was found of one file.
    record Read(ChainProof.Outcome outcome, Findings findings) {}

    /// Begins to read.
    ///
    /// @param archives whose data files are at hand, in the order in which they are read
    ReadAhead(Collection<StoredArchive> archives, VerifyOptions options, Watcher watcher) {
        long size = archives.stream().mapToLong(archive -> archive.manifest().file().size()).sum();
        reader.execute(() -> Hashing.warmUp(size));
        for (StoredArchive archive : archives) {
            files.put(archive, reader.submit(() -> {
                Findings findings = new Findings();
                return new Read(ChainProof.ofFile(archive, options, findings, watcher), findings);
            }));
        }
    }

    /// {@return what was found of a file, once; empty if it is not among those that are read} Waits for it.
    Optional<Read> take(StoredArchive archive) throws IOException {
        Future<Read> file = files.remove(archive);
        return file == null ? Optional.empty() : Optional.of(Crew.result(file));
    }

    @Override
    public void close() {
        reader.shutdownNow();
        reader.close();
    }
}
