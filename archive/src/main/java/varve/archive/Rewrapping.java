package varve.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import varve.archive.block.RefusedException;
import varve.archive.chain.History;
import varve.archive.file.ArchiveCopy;
import varve.archive.file.ArchiveWriter;
import varve.archive.file.Folder;
import varve.archive.file.Removal;
import varve.archive.file.Resealing;
import varve.archive.file.Signer;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.format.Seal;
import varve.archive.format.Version;
import varve.archive.seal.Recipient;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Copies;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.SealedFor;
import varve.archive.vault.Signatures;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeDigest;
import varve.archive.vault.VolumeLock;
import varve.archive.vault.VolumeSettings;

/// Seals the archives of a volume in one vault for other recipients, and those to come as well.
///
/// Each gets a new header before the payload that it has: its data is neither decrypted nor encrypted ([Resealing]). It is a derived archive, since
/// its file is another; when it is there and proved, the old one goes. A run that dies is finished by the same one again.
public final class Rewrapping {

    private final Vault vault;
    private final Volume volume;
    private final List<Recipient> added;
    private final List<Recipient> removed;
    private final InstantSource clock;
    private final Consumer<String> warnings;

    /// What there is to do.
    ///
    /// @param before for whom the volume is sealed
    /// @param after for whom it will be
    /// @param archives that get another header
    /// @param away that are sealed for others than `after`, but whose data is not here
    public record Plan(SealedFor before, SealedFor after, List<StoredArchive> archives, List<StoredArchive> away) {

        /// {@return bytes that will be read and written}
        public long size() {
            return archives.stream().mapToLong(archive -> archive.manifest().file().size()).sum();
        }
    }

    /// @param vault with the keys that open what is there
    public Rewrapping(Vault vault, String name, List<Recipient> added, List<Recipient> removed, InstantSource clock, Consumer<String> warnings)
            throws RefusedException {
        this.vault = vault;
        this.volume = vault.volume(name);
        this.added = List.copyOf(added);
        this.removed = List.copyOf(removed);
        this.clock = clock;
        this.warnings = warnings;
    }

    /// {@return what there is to do}
    /// @throws RefusedException if nobody could open the archives any more
    public Plan plan() throws IOException {
        History history = volume.read().sound();
        SealedFor before = SealedFor.of(volume, history);
        SealedFor after = after(before, history);
        List<StoredArchive> others = history.archives().stream()
                .filter(archive -> archive.manifest().seal().filter(seal -> !seal.recipients().equals(after.texts())).isPresent())
                .toList();
        return new Plan(
                before,
                after,
                others.stream().filter(StoredArchive::dataAtHand).toList(),
                others.stream().filter(archive -> !archive.dataAtHand() && twin(history, archive, after).isEmpty()).toList());
    }

    private SealedFor after(SealedFor before, History history) throws RefusedException {
        String name = volume.name();
        if (before.texts().isEmpty()) {
            throw new RefusedException(name + ": is not sealed; what is archived from now on can be: varve archive --recipient");
        }
        if (before.texts().equals(List.of(Seal.PASSPHRASE))) {
            throw new RefusedException(name + ": is sealed with a passphrase, which is its only recipient; archive with --recipient from now on");
        }
        List<String> gone = removed.stream().map(Recipient::text).toList();
        for (String text : gone) {
            boolean was = history.archives().stream().anyMatch(
                    archive -> archive.manifest().seal().filter(seal -> seal.recipients().contains(text)).isPresent());
            if (!before.texts().contains(text) && !was) {
                throw new RefusedException(name + ": is not sealed for " + text + "; varve seal show tells for whom it is");
            }
        }
        List<String> left = Stream.concat(before.texts().stream().filter(text -> !gone.contains(text)), added.stream().map(Recipient::text))
                .distinct().sorted().toList();
        if (left.isEmpty()) {
            throw new RefusedException(name + ": nobody would be left who could open it");
        }
        if (!Seal.isCanonical(left)) {
            throw new RefusedException(name + ": too many keys, or a passphrase among them");
        }
        return new SealedFor(left);
    }

    /// the archive that an interrupted run had made of another already
    private static Optional<StoredArchive> twin(History history, StoredArchive archive, SealedFor after) {
        Manifest manifest = archive.manifest();
        return history.archives().stream()
                .filter(other -> other.manifest().seal().filter(seal -> seal.recipients().equals(after.texts())).isPresent()
                        && other.manifest().index().equals(manifest.index())
                        && other.manifest().contentSize() == manifest.contentSize()
                        && other.manifest().originalHash().equals(manifest.originalHash())
                        && other.dataAtHand())
                .findFirst();
    }

    /// Does it.
    ///
    /// @param lockWait how long to wait for other writers
    /// @param shown takes the plan before anything is written
    /// @param progress gets bytes as they are done, [Plan#size] in all
    public Plan execute(Duration lockWait, Consumer<Plan> shown, LongConsumer progress) throws IOException, InterruptedException {
        volume.read(); // before a folder is made for the lock
        try (VolumeLock lock = VolumeLock.acquire(volume.folder(), lockWait, "varve seal rewrap " + volume.name())) {
            if (ArchiveWriter.recover(volume.folder())) {
                warnings.accept("finished the archive that an interrupted run had completed");
            }
            Removal.finish(volume.folder());
            Signer signer = Signatures.signer(Signatures.of(volume).requireSound(), clock);
            Plan plan = plan();
            shown.accept(plan);
            for (StoredArchive archive : plan.archives()) {
                archive.openData().close(); // better found out before anything is changed: each needs a key
            }
            List<Recipient> recipients = plan.after().recipients(volume.keys());
            VolumeSettings settings = VolumeSettings.read(volume, volume.read().history());
            if (!settings.recipients().equals(plan.after().texts())) {
                settings.sealFor(plan.after().texts()).writeSigned(volume);
            }
            for (StoredArchive archive : plan.archives()) {
                vault.check();
                rewrap(archive, recipients, plan, signer, progress);
            }
            VolumeDigest.save(volume, volume.read().history());
            return plan;
        }
    }

    private void rewrap(StoredArchive archive, List<Recipient> recipients, Plan plan, Signer signer, LongConsumer progress) throws IOException {
        Manifest manifest = archive.manifest();
        if (twin(volume.read().history(), archive, plan.after()).isEmpty()) {
            Receipt.Draft receipt = Receipt.begin(Receipt.What.CONSOLIDATE, vault, volume.name(), "seal rewrap " + manifest.dataName(), clock);
            Resealing.Made made = new Resealing(archive, volume.folder(), recipients, signer).run(
                    (file, seal) -> manifest.derive(
                            manifest.parent(),
                            clock.instant().truncatedTo(ChronoUnit.MILLIS),
                            Version.TOOL,
                            manifest.changedSize(),
                            manifest.payloadSize(),
                            file,
                            manifest.index(),
                            Optional.of(seal)),
                    progress);
            new Receipts(volume).add(
                    receipt.act(Depth.STORED, made.fromMedium() ? Evidence.MEDIUM : Evidence.CACHE, Receipt.Result.OK,
                            List.of(Receipt.Proof.whole(made.manifest(), Depth.STORED)), List.of(), List.of(Depth.STORED.open())),
                    warnings);
        }
        Receipt.Draft receipt = Receipt.begin(Receipt.What.EXPIRE, vault, volume.name(), "seal rewrap " + manifest.dataName(), clock);
        remove(archive);
        new Receipts(volume).add(receipt.act(List.of(Receipt.Proof.none(manifest))), warnings);
    }

    /// removes an archive that another has taken the place of; it stays known as long as other vaults hold it
    private void remove(StoredArchive archive) throws IOException {
        Copies copies = Catalogue.open(List.of(vault), warnings).copies(volume.name(), volume.read().history().archives());
        if (copies.holders(archive).stream().allMatch(vault.id()::equals)) {
            new Receipts(volume).sign(Set.of(archive.manifest().baseName() + ".json"), false);
            Removal.run(volume.folder(), List.of(archive));
            return;
        }
        try {
            new ArchiveCopy(archive, volume.folder(), (bytes, again) -> {}).runWithoutData();
        } catch (ArchiveCopy.SourceException e) {
            throw e.reason();
        }
        Files.delete(archive.data());
        Files.deleteIfExists(archive.tree());
        Folder.sync(volume.folder());
    }
}
