package varve.verify;

import java.nio.file.Path;

/// The folder of a volume in one of several vaults.
///
/// @param vault what the vault is called in reports
/// @param folder of the volume in it, which need not exist
record Place(String vault, Path folder) {

    Path file(String base, String extension) {
        return folder.resolve(base + "." + extension);
    }
}
