package varve.verify;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import varve.archive.block.BlockSource;
import varve.archive.chain.Chain;
import varve.archive.chain.History;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.Depth;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.verify.HealingReport.Loss;
import varve.verify.HealingReport.Repair;
import varve.verify.work.Watcher;

/// What the archives of one healing share: where bytes may come from, and what was done so far.
final class HealingRun {

    private static final int MOST_CHUNKS = 10_000; // of a loss, that are looked up in the tables of each point

    private final List<Place> places;
    private final Presence presence;
    private final History history;
    private final Optional<? extends BlockSource> device;
    private final HealingOptions options;
    private final Watcher watcher;
    private final Consumer<Repair> healed;
    private final HealingReceipts receipts;
    private final List<Repair> repairs = new ArrayList<>();
    private final List<Lost> losses = new ArrayList<>();
    private int away;
    private long readHere;
    private long readElsewhere;

    /// A loss before it is known which points in time it concerns.
    ///
    /// @param archive empty if its manifest is lost
    private record Lost(Optional<StoredArchive> archive, String file, Optional<Ranges.Range> range, String why, Ranges chunks) {}

    /// @param places the folder that is to be healed, then others
    /// @param presence what should be in the first
    /// @param history all archives that any of the folders has
    HealingRun(
            List<Place> places,
            Presence presence,
            History history,
            Optional<? extends BlockSource> device,
            HealingOptions options,
            HealingReceipts receipts,
            Watcher watcher,
            Consumer<Repair> healed) {
        this.places = places;
        this.presence = presence;
        this.history = history;
        this.device = device;
        this.options = options;
        this.receipts = receipts;
        this.watcher = watcher;
        this.healed = healed;
    }

    List<Place> places() {
        return places;
    }

    Presence presence() {
        return presence;
    }

    boolean dryRun() {
        return options.dryRun();
    }

    int threads() {
        return options.threads();
    }

    /// {@return the archives as they are now}
    Relatives relatives() {
        return new Relatives(history, device);
    }

    /// Counts bytes of data files here that were read.
    void read(long bytes) {
        readHere += bytes;
        watcher.done(bytes);
    }

    void readElsewhere(long bytes) {
        readElsewhere += bytes;
    }

    /// Counts an archive whose data is not here.
    void away() {
        away++;
    }

    void healed(Repair repair) {
        repairs.add(repair);
        healed.accept(repair);
        receipts.healed(repair);
    }

    void lost(StoredArchive archive, String file, Optional<Ranges.Range> range, String why, Ranges chunks) {
        losses.add(new Lost(Optional.of(archive), file, range, why, chunks));
        receipts.lost(file, why);
    }

    /// Notes an archive without a manifest.
    void lost(String file, String why) {
        losses.add(new Lost(Optional.empty(), file, Optional.empty(), why, Ranges.NONE));
        receipts.lost(file, why);
    }

    /// Notes what is now known of a data file here.
    ///
    /// @param anew whether it was written now
    void proved(StoredArchive archive, Ranges good, Ranges bad, boolean anew) {
        receipts.proved(archive.manifest(), good, bad, anew);
    }

    /// Notes what is now known of a data file elsewhere.
    void damagedElsewhere(StoredArchive archive, Map<Place, Ranges> damage) {
        damage.forEach((place, bad) -> receipts.damagedElsewhere(place, archive.manifest(), bad));
    }

    int awayCount() {
        return away;
    }

    long readHere() {
        return readHere;
    }

    long readElsewhere() {
        return readElsewhere;
    }

    List<Repair> repairs() {
        return List.copyOf(repairs);
    }

    /// {@return what stays damaged, and which points in time that concerns}
    List<Loss> losses() throws IOException {
        List<Loss> named = new ArrayList<>();
        try (Relatives relatives = relatives()) {
            for (Lost lost : losses) {
                named.add(new Loss(lost.file, lost.range, lost.why, lost.chunks, points(lost, relatives)));
            }
        }
        return named;
    }

    private List<String> points(Lost lost, Relatives relatives) throws IOException {
        List<String> points = new ArrayList<>();
        for (Point point : history.points()) {
            boolean concerned = lost.archive.isEmpty()
                    ? history.path(point.state(), StoredArchive::dataAtHand).isEmpty()
                    : needs(point, lost.archive.get(), lost.chunks, relatives);
            if (concerned) {
                points.add(Manifest.text(point.manifest().time()));
            }
        }
        return points;
    }

    /// whether a point cannot be restored without chunks of an archive
    private boolean needs(Point point, StoredArchive archive, Ranges chunks, Relatives relatives) throws IOException {
        if (chunks.isEmpty() || history.path(point.state(), a -> a.dataAtHand() && !a.equals(archive)).isPresent()) {
            return false;
        }
        Optional<List<StoredArchive>> path = history.path(point.state(), any -> true);
        int layer = path.isEmpty() ? -1 : path.get().indexOf(archive);
        if (layer < 0) {
            return false;
        }
        Optional<Relatives.Opened> opened = relatives.through(path.get().getLast());
        return opened.isEmpty() || opened.get().layer() < layer || uses(opened.get().chain(), layer, chunks);
    }

    private static boolean uses(Chain chain, int layer, Ranges chunks) throws IOException {
        long looked = 0;
        for (Ranges.Range range : chunks.list()) {
            for (long offset = range.from(); offset < Math.min(range.to(), chain.geometry().size()); offset += chain.geometry().chunkSize()) {
                if (++looked > MOST_CHUNKS || chain.uses(layer, offset >>> chain.geometry().chunkLog())) {
                    return true;
                }
            }
        }
        return false;
    }
}
