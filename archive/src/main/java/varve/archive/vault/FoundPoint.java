package varve.archive.vault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import varve.archive.chain.BrokenChainException;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.State;

/// A point in time that was looked up in one or more vaults.
///
/// @param vaults that were looked into
/// @param volume that it is of, in the first of them
/// @param history of the volume
/// @param point what was found
/// @param problems of other archives in the volume, to be told as warnings
public record FoundPoint(List<Vault> vaults, Volume volume, History history, Point point, List<Volume.Problem> problems) {

    /// Looks up a point in a vault.
    ///
    /// @throws NotFoundException if there is no such volume or point
    public static FoundPoint find(Vault vault, PointName name) throws IOException {
        return find(List.of(vault), name);
    }

    /// Looks up a point in several vaults, as one history.
    ///
    /// @throws NotFoundException if there is no such volume or point
    public static FoundPoint find(List<Vault> vaults, PointName name) throws IOException {
        List<Volume> volumes = new ArrayList<>();
        for (Vault vault : vaults) {
            volumes.add(vault.volume(name.volume()));
        }
        Volume.Content content = Volume.together(volumes);
        if (content.history().archives().isEmpty() && !content.problems().isEmpty()) {
            throw content.problems().getFirst().cause();
        }
        return new FoundPoint(vaults, volumes.getFirst(), content.history(), point(name, content), content.problems());
    }

    private static Point point(PointName name, Volume.Content content) throws NotFoundException {
        try {
            return name.in(content.history());
        } catch (NotFoundException e) {
            if (content.problems().isEmpty()) {
                throw e;
            }
            String first = content.problems().getFirst().cause().getMessage();
            throw new NotFoundException(e.getMessage() + "; or it is one that cannot be read: " + first);
        }
    }

    /// {@return whether all data files that it takes are at hand}
    public boolean restorable() {
        return history.path(state(), StoredArchive::dataAtHand).isPresent();
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
            throw new BrokenChainException(point.manifest().baseName() + ": no archives in this vault lead to it: "
                    + "a delta before it is missing altogether");
        }
        String missing = all.get().stream()
                .filter(atHand.negate())
                .map(a -> a.data().getFileName().toString())
                .collect(Collectors.joining(", "));
        throw new BrokenChainException(point.manifest().baseName() + ": " + what + " needed, but not at hand: " + missing + "; " + remedy());
    }

    private String remedy() {
        try {
            Catalogue catalogue = Catalogue.open(vaults, warning -> {});
            Whereabouts where = Whereabouts.of(catalogue, volume.name(), history, point);
            if (!where.away().isEmpty()) {
                return "bring " + where.away().stream().map(vault -> "vault " + catalogue.describe(vault)).collect(Collectors.joining(" and "));
            }
        } catch (IOException e) {
            // what is missing is said, where it is cannot be
        }
        return "bring them back to " + volume.folder();
    }

    private State state() {
        return point.state();
    }
}
