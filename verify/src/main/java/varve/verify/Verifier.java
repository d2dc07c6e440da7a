package varve.verify;

import java.io.IOException;
import java.time.InstantSource;
import varve.archive.hash.Hashing;
import varve.archive.vault.Depth;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;

/// Verifies a volume, or one of its points in time, in one vault.
///
/// Takes no lock and writes nothing: an archive that is being written is not there yet.
public final class Verifier {

    private final Vault vault;
    private final VerifyOptions options;
    private final InstantSource clock;
    private final Watcher watcher;

    public Verifier(Vault vault, VerifyOptions options, InstantSource clock, Watcher watcher) {
        this.vault = vault;
        this.options = options;
        this.clock = clock;
        this.watcher = watcher;
    }

    /// Looks at everything that a name stands for. Whatever it finds is in the report.
    ///
    /// @throws varve.archive.vault.NotFoundException if there is no such volume or point
    /// @throws IOException if the vault's folder cannot be listed
    public Report verify(PointName name) throws IOException {
        if (options.depth().includes(Depth.STORED)) {
            Hashing.warmUp();
        }
        Volume volume = vault.volume(name.volume());
        return new Verification(vault, volume, volume.read(), name, options, watcher).run(clock);
    }
}
