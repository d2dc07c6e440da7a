package varve.archive.snapshot;

import java.util.UUID;

/// Whose snapshot it is: that of a volume in a vault. Snapshots of another owner are nobody's business.
///
/// @param vault identity of the vault
/// @param volume its name there
public record Owner(UUID vault, String volume) {

    @Override
    public String toString() {
        return "volume " + volume + " in vault " + vault;
    }
}
