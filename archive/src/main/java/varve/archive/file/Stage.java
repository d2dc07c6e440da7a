package varve.archive.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.UnsupportedException;
import varve.archive.sign.Signature;

/// The names of an archive that is not one yet, and the step that makes it one.
///
/// The four files of an archive cannot be renamed at once. So when all are complete and proved, the manifest is
/// written under its stage name: from there on the archive is decided ([#decide]), and [#commit] gives the files their
/// names, the manifest last. A run that dies in between leaves the staged manifest, and the next run finishes the
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

    private Path signature() {
        return folder.resolve(PREFIX + ".json" + Signature.EXTENSION);
    }

    private Path draft() {
        return folder.resolve(PREFIX + ".json-draft");
    }

    /// Decides that the staged files, all complete and on the medium, are the archive that `manifest` describes.
    ///
    /// @param signer makes a signature of the manifest, if it is to have one
    void decide(Manifest manifest, Signer signer) throws IOException {
        Files.deleteIfExists(signature());
        Optional<byte[]> signature = signer.sign(manifest);
        if (signature.isPresent()) {
            Folder.write(signature(), signature.get());
        }
        Folder.write(draft(), manifest.encode());
        Files.move(draft(), manifest(), StandardCopyOption.ATOMIC_MOVE);
        Folder.sync(folder);
    }

    /// Gives the files of an archive that is decided their names.
    void commit(Manifest manifest) throws IOException {
        String base = manifest.baseName();
        renameIfThere(data(), folder.resolve(manifest.dataName()));
        renameIfThere(index(), folder.resolve(base + ".index"));
        renameIfThere(tree(), folder.resolve(base + ".tree"));
        renameIfThere(signature(), folder.resolve(base + ".json" + Signature.EXTENSION));
        Files.deleteIfExists(nodes());
        Files.deleteIfExists(extents());
        Folder.sync(folder);
        Files.move(manifest(), folder.resolve(base + ".json"), StandardCopyOption.ATOMIC_MOVE); // the last step: nothing is left to tidy up
        Folder.sync(folder);
    }

    /// Finishes a commit that was interrupted, if there is one.
    ///
    /// @return whether there was
    /// @throws UnsupportedException if it is the commit of a later version
    boolean recover() throws IOException {
        if (!Files.exists(manifest(), LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try {
            removeForeign();
            Manifest manifest = Manifest.decode(Folder.read(manifest(), Manifest.MAX_SIZE), manifest().toString());
            if (complete(manifest)) {
                commit(manifest);
                return true;
            }
        } catch (CorruptException | NoSuchFileException e) {
            // no decision of ours
        }
        Files.deleteIfExists(manifest());
        return false;
    }

    /// whether what was decided is still there, under whichever name: somebody may have tidied up
    private boolean complete(Manifest manifest) throws IOException {
        Path data = folder.resolve(manifest.dataName());
        Path index = folder.resolve(manifest.baseName() + ".index");
        return size(data(), data) == manifest.file().size() && size(index(), index) == manifest.index().size();
    }

    private static long size(Path staged, Path named) throws IOException {
        Path file = Files.exists(staged) ? staged : named;
        return Files.exists(file) ? Files.size(file) : -1;
    }

    /// Removes everything that is staged.
    void discard() throws IOException {
        for (Path file : files()) {
            Files.deleteIfExists(file);
        }
    }

    /// Removes what no run of ours has staged: a link would have us write who knows where, opening a pipe would wait for ever.
    void removeForeign() throws IOException {
        for (Path file : files()) {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(file);
            }
        }
    }

    private List<Path> files() {
        return List.of(manifest(), signature(), draft(), data(), index(), tree(), nodes(), extents());
    }

    private static void renameIfThere(Path from, Path to) throws IOException {
        if (Files.exists(from)) {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        }
    }
}
