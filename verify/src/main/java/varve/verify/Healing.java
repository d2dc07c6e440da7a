package varve.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import varve.archive.block.FileDevice;
import varve.archive.block.RefusedException;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.StoredArchive;
import varve.archive.format.UnsupportedException;
import varve.archive.hash.Hashing;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;
import varve.verify.work.Watcher;

/// Heals the archives of a volume in one vault: what is damaged is replaced by bytes that have the recorded hashes, wherever those are to
/// be had.
///
/// Sought are, in this order: another vault's copy of the same archive; the archive itself, whose tables are there twice, say what the
/// rest of the data file looks like, and follow, like its file tree, from the data; another archive that holds the same; the device, if
/// its content is still what was recorded, compressed again. Nothing is believed that has not the hash.
///
/// A file that changes is made anew beside the old one, proved from the medium, and swapped in. So a run that dies leaves whole files, old
/// or new. What is as it was written is not touched, nor is what cannot be healed.
public final class Healing {

    private final Vault vault;
    private final String name;
    private final HealingOptions options;
    private final InstantSource clock;
    private final Watcher watcher;
    private final Consumer<HealingReport.Repair> healed;

    /// @param name of the volume
    /// @param healed is told of each file as soon as it is in its place, or would be
    public Healing(
            Vault vault,
            String name,
            HealingOptions options,
            InstantSource clock,
            Watcher watcher,
            Consumer<HealingReport.Repair> healed) {
        this.vault = vault;
        this.name = name;
        this.options = options;
        this.clock = clock;
        this.watcher = watcher;
        this.healed = healed;
    }

    /// Heals, or finds out what it would.
    ///
    /// @throws NotFoundException if there is no such volume
    /// @throws RefusedException if the vault was named as its own source
    public HealingReport run() throws IOException, InterruptedException {
        Instant started = clock.instant();
        long start = System.nanoTime();
        Volume volume = vault.volume(name);
        if (!volume.exists()) {
            throw new NotFoundException(vault.folder() + ": no volume \"" + name + "\" in this vault");
        }
        Hashing.warmUp();
        vault.check();
        List<String> notes = new ArrayList<>();
        List<Place> places = places(volume, notes);
        try (VolumeLock lock = options.dryRun() ? null : VolumeLock.acquire(volume.folder(), options.lockWait(), "varve heal " + name);
                FileDevice device = options.device().isPresent() ? FileDevice.open(options.device().get()) : null) {
            if (lock != null) {
                if (ArchiveWriter.recover(volume.folder())) {
                    notes.add("finished the archive that an interrupted run had completed");
                }
                Replacement.removeLeftovers(volume.folder());
            }
            Manifests manifests = Manifests.read(name, places);
            Presence presence = Presence.of(volume, vault.id());
            manifests.miss(presence.all());
            HealingReceipts receipts = new HealingReceipts(places.getFirst(), about(places), options.dryRun(), clock, notes::add);
            HealingRun run = new HealingRun(
                    places, presence, manifests.history(), Optional.ofNullable(device), options, receipts, watcher, healed);
            heal(manifests, run, receipts, notes);
            notes.addAll(manifests.notes());
            return new HealingReport(vault.folder(), vault.id(), name, options.dryRun(), started, Duration.ofNanos(System.nanoTime() - start),
                    manifests.here().size(), run.awayCount(), run.readHere(), run.readElsewhere(), run.repairs(), run.losses(), notes);
        }
    }

    private String about(List<Place> places) {
        String others = Stream.concat(places.stream().skip(1).map(Place::vault), options.device().stream().map(Path::toString))
                .collect(Collectors.joining(", "));
        return others.isEmpty() ? "from its own files" : "from " + others;
    }

    private List<Place> places(Volume volume, List<String> notes) throws IOException {
        List<Place> places = new ArrayList<>();
        places.add(new Place(vault, volume));
        for (Vault other : options.from()) {
            if (Files.isSameFile(other.folder(), vault.folder())) {
                throw new RefusedException(other.folder() + ": is the vault itself; name another one to heal it from");
            }
            Volume there = other.volume(name);
            if (there.exists()) {
                places.add(new Place(other, there));
            } else {
                notes.add("vault " + other.folder() + ": has no volume \"" + name + "\"");
            }
        }
        return places;
    }

    private void heal(Manifests manifests, HealingRun run, HealingReceipts receipts, List<String> notes) throws IOException {
        watcher.begin("heal " + name, size(manifests, run));
        for (Map.Entry<String, Manifests.Lost> lost : manifests.lost().entrySet()) {
            if (lost.getValue().unsupported()) {
                notes.add(lost.getValue().why());
            } else {
                run.lost(lost.getKey() + ".json", lost.getValue().why());
            }
        }
        receipts.endArchive();
        for (String base : run.presence().all()) {
            if (!manifests.here().contains(base) && manifests.believed(base).isEmpty()) {
                notes.add(base + ": the receipts say that it is here; nothing of it is, and its manifest is nowhere at hand");
            }
        }
        for (StoredArchive archive : manifests.history().archives()) { // the oldest first: others stand on them
            String base = archive.manifest().baseName();
            if (manifests.here().contains(base)) {
                try {
                    new ArchiveHealing(run, archive).run(manifests.believed(base).orElseThrow(), manifests.fault(base));
                } catch (UnsupportedException e) {
                    notes.add(Findings.text(base, e));
                } finally {
                    receipts.endArchive();
                }
            }
        }
        receipts.end();
    }

    private static long size(Manifests manifests, HealingRun run) throws IOException {
        long size = 0;
        for (String base : manifests.here()) {
            Optional<Manifests.Believed> believed = manifests.believed(base);
            if (believed.isPresent()) {
                Path data = run.places().getFirst().file(base, believed.get().manifest().dataExtension());
                size += Files.exists(data) ? Files.size(data) : 0;
            }
        }
        return size;
    }
}
