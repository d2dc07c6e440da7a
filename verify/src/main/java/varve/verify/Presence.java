package varve.verify;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Volume;

/// What the receipts of a volume say of which data files its folder has: a file that was proved here and was not removed since, but is not
/// here, is missed.
public final class Presence {

    private final Map<String, Boolean> here = new HashMap<>();

    private Presence() {}

    static Presence of(Volume volume, UUID vault) throws IOException {
        return of(new Receipts(volume).read().receipts(), vault);
    }

    /// @param receipts of the volume in the vault
    public static Presence of(List<Receipt> receipts, UUID vault) {
        Presence presence = new Presence();
        for (Receipt receipt : receipts) {
            if (receipt.act().vault().equals(vault)) { // else the folder was copied from there
                presence.take(receipt.act());
            }
        }
        return presence;
    }

    private void take(Receipt.Act act) {
        for (Receipt.Proof proof : act.archives()) {
            switch (act.what()) {
                case EVICT, EXPIRE -> here.put(base(proof.archive()), false);
                case ARCHIVE, VERIFY, RESTORE, COPY, CONSOLIDATE, HEAL -> {
                    if (!proof.proved().isEmpty() || !proof.damaged().isEmpty()) {
                        here.put(base(proof.archive()), true);
                    }
                }
            }
        }
    }

    private static String base(String data) {
        return data.replaceFirst("\\.zst(\\.age)?$", "");
    }

    /// {@return whether a data file should be here; empty if no receipt speaks of it}
    public Optional<Boolean> of(String base) {
        return Optional.ofNullable(here.get(base));
    }

    /// {@return the base names of all archives whose data files should be here}
    Set<String> all() {
        return here.entrySet().stream()
                .filter(Map.Entry::getValue)
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }
}
