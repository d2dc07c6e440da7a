package varve.verify;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import varve.archive.vault.Vault;

/// How to heal.
///
/// @param from other vaults that may have good copies
/// @param device whose content may still be what is missing
/// @param dryRun find out everything, and write nothing
/// @param threads that read and hash
public record HealingOptions(List<Vault> from, Optional<Path> device, boolean dryRun, int threads) {}
