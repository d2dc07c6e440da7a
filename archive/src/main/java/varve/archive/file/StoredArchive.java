package varve.archive.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import varve.archive.block.DeviceException;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.seal.Keys;

/// An archive in one or more folders: its manifest, and where its other files are or would be.
///
/// @param folders of the volume, in as many vaults as are looked at; a file is taken from the first that has it
/// @param manifest read and checked
/// @param keys to read what is sealed
public record StoredArchive(List<Path> folders, Manifest manifest, Keys keys) {

    /// @param folder of the volume
    /// @param manifest of an archive that is not sealed, or is not to be read
    public StoredArchive(Path folder, Manifest manifest) {
        this(folder, manifest, Keys.NONE);
    }

    /// @param folder of the volume
    public StoredArchive(Path folder, Manifest manifest, Keys keys) {
        this(List.of(folder), manifest, keys);
    }

    /// {@return the first folder}
    public Path folder() {
        return folders.getFirst();
    }

    public Path data() {
        return file(manifest.dataName());
    }

    public Path index() {
        return file(manifest.baseName() + ".index");
    }

    public Path tree() {
        return file(manifest.baseName() + ".tree");
    }

    public Path manifestFile() {
        return file(manifest.baseName() + ".json");
    }

    private Path file(String name) {
        for (Path folder : folders.subList(1, folders.size())) {
            if (!Files.exists(folder().resolve(name)) && Files.exists(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        return folder().resolve(name);
    }

    /// {@return the data files in all folders that have one}
    public List<Path> allData() {
        return all(manifest.dataName());
    }

    /// {@return the file trees in all folders that have one}
    public List<Path> allTrees() {
        return all(manifest.baseName() + ".tree");
    }

    private List<Path> all(String name) {
        return folders.stream().map(folder -> folder.resolve(name)).filter(Files::exists).toList();
    }

    /// {@return whether the data file is here and not away on a shelf}
    public boolean dataAtHand() {
        return Files.exists(data());
    }

    /// {@return whether the tables are here, in a file of their own or in the data file}
    public boolean indexAtHand() {
        return Files.exists(index()) || dataAtHand();
    }

    /// {@return the tables, from whichever file is at hand and good}
    public Index openIndex() throws IOException {
        IOException failure = null;
        for (Path folder : folders) {
            Path data = folder.resolve(manifest.dataName());
            Path index = folder.resolve(manifest.baseName() + ".index");
            if (folders.size() == 1 || Files.exists(index) || Files.exists(data)) {
                try {
                    return ArchiveFile.openIndex(data, index, manifest, keys);
                } catch (CorruptException | DeviceException | NoSuchFileException e) {
                    failure = failure == null ? e : failure;
                }
            }
        }
        throw failure == null ? new NoSuchFileException(index().toString()) : failure;
    }

    /// Opens the data file, where it has the right size and header.
    ///
    /// @throws CorruptException if none has
    public ArchiveFile openData() throws IOException {
        return openData(true);
    }

    /// @param keepOpen whether the file stays open between reads: of long chains too many would be open at once
    /// @throws CorruptException if none has the right size and header
    public ArchiveFile openData(boolean keepOpen) throws IOException {
        IOException failure = null;
        for (Path file : allData()) {
            try {
                return ArchiveFile.open(file, manifest, keys, keepOpen, Reading.ONCE);
            } catch (CorruptException | DeviceException e) {
                failure = failure == null ? e : failure;
            }
        }
        throw failure == null ? new NoSuchFileException(data().toString()) : failure;
    }

    /// Opens the data file to read it as it is stored, for which no key is needed.
    ///
    /// @throws CorruptException if it is not of the right size
    public ArchiveFile openStored() throws IOException {
        return ArchiveFile.openStored(data(), manifest);
    }

    /// {@return the data file in all its copies, whatever is wrong with them}
    /// @param keepOpen whether they stay open between reads
    public DataCopies openCopies(boolean keepOpen, Reading reading) throws IOException {
        return new DataCopies(this, keepOpen, reading);
    }

    /// {@return the same archive as seen from more folders}
    public StoredArchive with(Path folder) {
        return new StoredArchive(Stream.concat(folders.stream(), Stream.of(folder)).toList(), manifest, keys);
    }
}
