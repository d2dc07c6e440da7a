package varve.archive.vault;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.file.StoredArchive;
import varve.archive.format.CorruptException;
import varve.archive.format.Manifest;
import varve.archive.format.State;

/// A point in time that was looked up in a vault.
///
/// @param volume that it is of
/// @param history of the volume
/// @param archive that recorded it
/// @param problems of other archives in the volume, to be told as warnings
public record FoundPoint(Volume volume, History history, StoredArchive archive, List<Volume.Problem> problems) {

    /// Looks up a point.
    ///
    /// @throws NotFoundException if there is no such volume or point
    public static FoundPoint find(Vault vault, PointName name) throws IOException {
        Volume volume = vault.volume(name.volume());
        return find(volume, volume.read(), name);
    }

    /// Looks up a point in a volume whose manifests were read.
    ///
    /// @throws NotFoundException if there is no such point
    public static FoundPoint find(Volume volume, Volume.Content content, PointName name) throws IOException {
        if (content.history().archives().isEmpty() && !content.problems().isEmpty()) {
            throw content.problems().getFirst().cause();
        }
        return new FoundPoint(volume, content.history(), name.in(content.history()), content.problems());
    }

    /// Makes sure that no other point can be meant: with a damaged manifest, "latest" or a day could mean an older one than the
    /// user thinks. A root cannot.
    ///
    /// @param name that it was looked up by
    /// @throws CorruptException if there is a damaged manifest that matters
    public void checkMeant(PointName name) throws IOException {
        if (problems.isEmpty() || name.isRoot()) {
            return;
        }
        IOException problem = problems.getFirst().cause();
        if (problem instanceof CorruptException corrupt) {
            Manifest manifest = archive.manifest();
            throw new CorruptException(corrupt.rule(), corrupt.where(), "so " + name + " may be another point than is meant; take another"
                    + " copy of the file, or name the point by its root, such as " + name.volume() + "@" + manifest.state().root().brief()
                    + " for that of " + Manifest.text(manifest.time()));
        }
        throw problem;
    }

    /// {@return the archives that the point is restored from, full first}
    /// @throws BrokenChainException if some are not at hand
    public List<StoredArchive> path() throws BrokenChainException {
        return path(StoredArchive::dataAtHand, "data files");
    }

    /// Opens the chain for its tables alone; data files may be away.
    public Chain openTables() throws IOException {
        Optional<List<StoredArchive>> withData = history.path(state(), StoredArchive::dataAtHand);
        return Chain.open(withData.isPresent() ? withData.get() : path(StoredArchive::indexAtHand, "tables"));
    }

    private List<StoredArchive> path(Predicate<StoredArchive> atHand, String what) throws BrokenChainException {
        Optional<List<StoredArchive>> path = history.path(state(), atHand);
        if (path.isPresent()) {
            return path.get();
        }
        Optional<List<StoredArchive>> all = history.path(state(), any -> true);
        if (all.isEmpty()) {
            throw new BrokenChainException(archive.manifest().baseName() + ": no archives in this vault lead to it: "
                    + "a delta before it is missing altogether");
        }
        String missing = all.get().stream()
                .filter(atHand.negate())
                .map(a -> a.data().getFileName().toString())
                .reduce((x, y) -> x + ", " + y)
                .orElse("");
        throw new BrokenChainException(archive.manifest().baseName() + ": " + what + " needed, but not at hand: " + missing
                + "; bring them back to " + volume.folder());
    }

    private State state() {
        return archive.manifest().state();
    }
}
