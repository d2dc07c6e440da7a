package varve.archive.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.UnsupportedException;

/// The names of an archive that is not one yet, and the step that makes it one.
///
/// The four files of an archive cannot be renamed at once. So when all are complete and proved, the manifest is
/// written under its stage name: from there on the archive is decided, and [#commit] gives the files their names,
/// the manifest last. A run that dies in between leaves the staged manifest, and the next run finishes the
/// renaming ([#recover]).
///
/// @param folder of the volume
record Stage(Path folder) {

    static final String PREFIX = ".varve-stage";

    Path data() {
        return folder.resolve(PREFIX + ".data");
    }

    Path index() {
        return folder.resolve(PREFIX + ".index");
    }

    Path tree() {
        return folder.resolve(PREFIX + ".tree");
    }

    Path nodes() {
        return folder.resolve(PREFIX + ".nodes");
    }

    Path extents() {
        return folder.resolve(PREFIX + ".extents");
    }

    Path manifest() {
        return folder.resolve(PREFIX + ".json");
    }

    /// Makes the staged files, all complete and on the medium, the archive that `manifest` describes.
    void commit(Manifest manifest) throws IOException {
        Path draft = folder.resolve(PREFIX + ".json-draft");
        Folder.write(draft, manifest.encode());
        Files.move(draft, manifest(), StandardCopyOption.ATOMIC_MOVE);
        Folder.sync(folder);
        rename(manifest);
    }

    /// Finishes a commit that was interrupted, if there is one.
    ///
    /// @return whether there was
    boolean recover() throws IOException {
        if (!Files.exists(manifest())) {
            return false;
        }
        Manifest manifest;
        try {
            manifest = Manifest.decode(Files.readAllBytes(manifest()), manifest().toString());
        } catch (CorruptException | UnsupportedException e) {
            Files.delete(manifest());
            return false;
        }
        rename(manifest);
        return true;
    }

    /// Removes everything that is staged.
    void discard() throws IOException {
        for (Path file : new Path[] {manifest(), data(), index(), tree(), nodes(), extents()}) {
            Files.deleteIfExists(file);
        }
    }

    private void rename(Manifest manifest) throws IOException {
        String base = manifest.baseName();
        renameIfThere(data(), folder.resolve(base + ".zst"));
        renameIfThere(index(), folder.resolve(base + ".index"));
        renameIfThere(tree(), folder.resolve(base + ".tree"));
        Folder.sync(folder);
        Files.move(manifest(), folder.resolve(base + ".json"), StandardCopyOption.ATOMIC_MOVE);
        Folder.sync(folder);
        Files.deleteIfExists(nodes());
        Files.deleteIfExists(extents());
    }

    private static void renameIfThere(Path from, Path to) throws IOException {
        if (Files.exists(from)) {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        }
    }
}
