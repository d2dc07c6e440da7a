package varve.archive.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import varve.archive.format.Manifest;

/// An archive in a folder: its manifest, and where its other files are or would be.
///
/// @param folder of the volume
/// @param manifest read and checked
public record StoredArchive(Path folder, Manifest manifest) {

    public Path data() {
        return folder.resolve(manifest.baseName() + ".zst");
    }

    public Path index() {
        return folder.resolve(manifest.baseName() + ".index");
    }

    public Path tree() {
        return folder.resolve(manifest.baseName() + ".tree");
    }

    public Path manifestFile() {
        return folder.resolve(manifest.baseName() + ".json");
    }

    /// {@return whether the data file is here and not away on a shelf}
    public boolean dataAtHand() {
        return Files.exists(data());
    }

    /// {@return whether the tables are here, in a file of their own or in the data file}
    public boolean indexAtHand() {
        return Files.exists(index()) || dataAtHand();
    }

    /// {@return the tables, from whichever file is at hand}
    public Index openIndex() throws IOException {
        return ArchiveFile.openIndex(data(), index(), manifest);
    }

    public ArchiveFile openData() throws IOException {
        return openData(true);
    }

    /// @param keepOpen whether the file stays open between reads: of long chains too many would be open at once
    public ArchiveFile openData(boolean keepOpen) throws IOException {
        return ArchiveFile.open(data(), manifest, keepOpen);
    }
}
