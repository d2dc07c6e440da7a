package varve.verify;

import java.io.IOException;
import java.time.InstantSource;
import varve.archive.hash.Hashing;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// Verifies a volume, or one of its points in time, in one vault.
///
/// Takes no lock and writes nothing: an archive that is being written is not there yet.
public final class Verifier {

    private final Vault vault;
    private final int threads;
    private final InstantSource clock;
    private final Watcher watcher;

    /// @param threads that read, decode and hash
    public Verifier(Vault vault, int threads, InstantSource clock, Watcher watcher) {
        this.vault = vault;
        this.threads = threads;
        this.clock = clock;
        this.watcher = watcher;
    }

    /// Looks at everything that a name stands for. Whatever it finds is in the report.
    ///
    /// @throws varve.archive.vault.NotFoundException if there is no such volume or point
    /// @throws IOException if the vault's folder cannot be listed
    public Report verify(PointName name, Depth depth) throws IOException {
        Volume volume = vault.volume(name.volume());
        Volume.Content content = volume.read();
        if (depth.includes(Depth.STORED)) {
            Hashing.warmUp();
        }
        return new Verification(vault, volume, content, name, depth, threads, watcher).run(clock);
    }
}
