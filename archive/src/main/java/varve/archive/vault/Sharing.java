package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import varve.archive.block.RefusedException;
import varve.archive.chain.History;
import varve.archive.file.ArchiveCopy;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Rule;
import varve.archive.format.UnsupportedException;
import varve.archive.sign.UntrustedException;

/// What vaults at hand tell each other: their inventories ([Catalogue#exchange]), then, volume by volume, manifests and tables of
/// archives that only others hold.
///
/// A manifest goes with the data: one whose data file nobody is known to hold is not passed on.
public final class Sharing {

    private final List<Vault> vaults;
    private final InstantSource clock;
    private final Consumer<String> warnings;

    /// @param vaults at hand
    public Sharing(List<Vault> vaults, InstantSource clock, Consumer<String> warnings) {
        this.vaults = vaults;
        this.clock = clock;
        this.warnings = warnings;
    }

    /// Shares what is known of one volume, among the vaults that have it.
    ///
    /// @param locked the vault whose volume the caller has locked
    public void share(String volume, Vault locked) throws IOException, InterruptedException {
        Catalogue catalogue = Catalogue.open(vaults, warnings).exchange(Set.of(volume), clock, warnings);
        share(catalogue, volume, Optional.of(locked), false);
    }

    /// Shares what is known of all volumes, among all of the vaults.
    ///
    /// @param anew whether each vault's folder is looked at as if nothing were known of it, and tables that are missing beside their
    /// data are made again
    /// @return the volumes
    /// @throws IOException the first problem, when all that can be done is done
    public Collection<String> shareAll(boolean anew) throws IOException, InterruptedException {
        Set<String> volumes = new TreeSet<>();
        for (Vault vault : vaults) {
            volumes.addAll(vault.volumes());
        }
        if (anew) {
            for (String volume : volumes) {
                restoreTables(volume);
            }
        }
        Catalogue catalogue = Catalogue.open(vaults, warnings).exchange(anew ? volumes : Set.of(), clock, warnings);
        IOException failure = null;
        for (String volume : volumes) {
            try {
                share(catalogue, volume, Optional.empty(), true);
            } catch (CorruptException e) {
                failure = failure == null ? e : failure;
                warnings.accept(e.getMessage());
            }
        }
        if (failure != null) {
            throw failure;
        }
        catalogue.requireUndisputed();
        return volumes;
    }

    private void share(Catalogue catalogue, String volume, Optional<Vault> locked, boolean everywhere) throws IOException, InterruptedException {
        List<Volume> volumes = new ArrayList<>();
        for (Vault vault : vaults) {
            volumes.add(vault.volume(volume));
        }
        Volume.Content content = Volume.together(volumes);
        for (Volume.Problem problem : content.problems()) {
            if (problem.cause() instanceof CorruptException corrupt && corrupt.rule() == Rule.F040) {
                throw corrupt;
            }
        }
        History history = content.history();
        Set<Inventory.DataFile> held = new HashSet<>();
        catalogue.stocks(volume).values().forEach(stock -> stock.archives().forEach(archive -> held.add(archive.file())));
        for (Vault vault : vaults) {
            Volume to = vault.volume(volume);
            List<StoredArchive> news = history.archives().stream()
                    .filter(archive -> !archive.folders().contains(to.folder()) && held.contains(Inventory.DataFile.of(archive)))
                    .toList();
            boolean ours = locked.filter(other -> other.id().equals(vault.id())).isPresent();
            if (!news.isEmpty() && Files.isWritable(vault.folder()) && (everywhere || to.exists() || ours)) {
                bring(news, to, ours);
            }
        }
        shareSettings(volume, locked);
    }

    /// what was decided in one of the vaults holds in all of them
    private void shareSettings(String name, Optional<Vault> locked) throws IOException, InterruptedException {
        List<Volume> volumes = new ArrayList<>();
        for (Vault vault : vaults) {
            volumes.add(vault.volume(name));
        }
        try {
            VolumeSettings settings = VolumeSettings.together(volumes);
            for (Vault vault : vaults) {
                Volume to = vault.volume(name);
                boolean ours = locked.filter(other -> other.id().equals(vault.id())).isPresent();
                if (!to.exists() || !Files.isWritable(to.folder()) || !settings.newerThan(to)) {
                    continue;
                }
                if (ours) {
                    settings.writeSigned(to);
                } else { // somebody may have decided something since
                    VolumeSettings.change(to, Duration.ZERO, "varve catalogue", (old, history) -> old.merge(settings));
                }
            }
        } catch (NotFoundException e) {
            // no points, nothing decided
        } catch (CorruptException | UnsupportedException | LockedException | RefusedException | UntrustedException e) {
            warnings.accept(e.getMessage() + ": what was decided for the volume is not shared this time");
        }
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

    /// makes `.index` and `.tree` files that are missing beside their data files
    private void restoreTables(String name) throws IOException, InterruptedException {
        for (Vault vault : vaults) {
            Volume volume = vault.volume(name);
            if (volume.exists() && Files.isWritable(volume.folder())) {
                try (VolumeLock lock = VolumeLock.acquire(volume.folder(), Duration.ZERO, "varve catalogue")) {
                    for (StoredArchive archive : volume.read().history().archives()) {
                        restoreTables(archive);
                    }
                } catch (LockedException e) {
                    warnings.accept(e.getMessage() + ": tables that may be missing there will be made another time");
                }
            }
        }
    }

    private void restoreTables(StoredArchive archive) throws IOException {
        ArchiveCopy onto = new ArchiveCopy(archive, archive.folder(), (bytes, again) -> {});
        try {
            if (archive.dataAtHand() && !Files.exists(archive.tree())) {
                onto.run();
            } else if (archive.dataAtHand() && !Files.exists(archive.index())) {
                onto.runWithoutData();
            }
        } catch (ArchiveCopy.SourceException e) {
            warnings.accept(e.getMessage());
        }
    }
}
