package varve.archive.vault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import varve.archive.block.DeviceException;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.Seal;
import varve.archive.seal.AgeFormatException;
import varve.archive.seal.Keys;
import varve.archive.seal.Recipient;

/// For whom the next archive of a volume is sealed: as its settings say; where they say nothing, as the newest archive is. So a volume
/// that was sealed once is never continued in the clear by mistake.
///
/// @param texts of the recipients, in their one order; empty if it is not sealed
public record SealedFor(List<String> texts) {

    public static SealedFor of(Volume volume, History history) throws IOException {
        if (history.latest().isEmpty()) {
            return new SealedFor(List.of());
        }
        List<String> decided = VolumeSettings.read(volume, history).recipients();
        return decided.isEmpty() ? newest(history) : new SealedFor(decided);
    }

    private static SealedFor newest(History history) {
        Optional<Manifest> newest = history.latest().stream()
                .flatMap(point -> point.archives().stream())
                .map(StoredArchive::manifest)
                .max(Comparator.comparing(Manifest::finished));
        return new SealedFor(newest.flatMap(Manifest::seal).map(Seal::recipients).orElse(List.of()));
    }

    /// {@return the same of keys}
    /// @throws IllegalArgumentException if these cannot be recipients together
    public static SealedFor keys(List<Recipient> recipients) {
        List<String> texts = recipients.stream().map(Recipient::text).distinct().sorted().toList();
        if (!texts.isEmpty() && !Seal.isCanonical(texts)) {
            throw new IllegalArgumentException(texts.contains(Seal.PASSPHRASE)
                    ? "a passphrase cannot be combined with keys" : "too many keys: " + Seal.MAX_TEXT + " characters is what there is room for");
        }
        return new SealedFor(texts);
    }

    /// {@return the keys themselves; a passphrase is one that opens the newest archive at hand that was sealed with one}
    /// @param keys know the passphrase, if it is one
    public List<Recipient> recipients(Keys keys, History history) throws IOException {
        if (texts.contains(Seal.PASSPHRASE)) {
            Optional<StoredArchive> newest = history.archives().stream()
                    .filter(archive -> archive.dataAtHand() && archive.manifest().seal().filter(seal -> seal.recipients().equals(texts)).isPresent())
                    .max(Comparator.comparing(archive -> archive.manifest().finished()));
            try {
                if (newest.isPresent()) {
                    newest.get().openData().close();
                }
            } catch (CorruptException | DeviceException e) {
                // what is damaged proves nothing of a passphrase
            }
        }
        return recipients(keys);
    }

    /// {@return the keys themselves}
    /// @param keys know the passphrase, if it is one
    public List<Recipient> recipients(Keys keys) throws IOException {
        List<Recipient> recipients = new ArrayList<>();
        for (String text : texts) {
            try {
                recipients.add(text.equals(Seal.PASSPHRASE) ? keys.passphraseToSeal() : Recipient.parse(text));
            } catch (AgeFormatException e) {
                throw new IOException("cannot seal for " + text + ": " + e.getMessage(), e);
            }
        }
        return recipients;
    }
}
