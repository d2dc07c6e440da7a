package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import varve.archive.chain.History;
import varve.archive.file.ArchiveCopy;
import varve.archive.file.StoredArchive;
import varve.archive.hash.Hash;

/// What vaults at hand tell each other of a volume: manifests and tables of archives that only others hold, and then, for the
/// whole of the vaults, their inventories ([Catalogue#exchange]).
///
/// A manifest goes with the data: one whose data file nobody is known to hold is not passed on.
public final class Sharing {

    private final List<Vault> vaults;
    private final String volume;
    private final InstantSource clock;
    private final Consumer<String> warnings;

    /// @param vaults at hand
    /// @param volume its name
    public Sharing(List<Vault> vaults, String volume, InstantSource clock, Consumer<String> warnings) {
        this.vaults = vaults;
        this.volume = volume;
        this.clock = clock;
        this.warnings = warnings;
    }

    /// Shares.
    ///
    /// @param locked the vault whose volume the caller has locked
    public Catalogue share(Vault locked) throws IOException, InterruptedException {
        Catalogue catalogue = Catalogue.open(vaults, warnings).exchange(Set.of(volume), clock, warnings);
        List<Volume> volumes = new ArrayList<>();
        for (Vault vault : vaults) {
            volumes.add(vault.volume(volume));
        }
        History history = Volume.together(volumes).history();
        Set<Hash> held = new HashSet<>();
        catalogue.stocks(volume).values().forEach(stock -> stock.archives().forEach(archive -> held.add(archive.fileHash())));
        for (Vault vault : vaults) {
            Volume to = vault.volume(volume);
            List<StoredArchive> news = history.archives().stream()
                    .filter(archive -> !archive.folders().contains(to.folder()) && held.contains(archive.manifest().file().hash()))
                    .toList();
            if (!news.isEmpty() && Files.isWritable(vault.folder()) && (to.exists() || vault.id().equals(locked.id()))) {
                bring(news, to, vault.id().equals(locked.id()));
            }
        }
        return catalogue;
    }

    private void bring(List<StoredArchive> archives, Volume to, boolean locked) throws IOException, InterruptedException {
        try (VolumeLock lock = locked ? null : VolumeLock.acquire(to.folder(), Duration.ZERO, "varve catalogue")) {
            for (StoredArchive archive : archives) {
                try {
                    new ArchiveCopy(archive, to.folder(), (bytes, again) -> {}).runWithoutData();
                } catch (ArchiveCopy.SourceException e) {
                    warnings.accept(e.getMessage());
                }
            }
        } catch (LockedException e) {
            warnings.accept(e.getMessage() + ": what is new in the catalogue will get there another time");
        }
    }
}
