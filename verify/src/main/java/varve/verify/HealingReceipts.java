package varve.verify;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import varve.archive.format.Manifest;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Ranges;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.verify.HealingReport.Part;
import varve.verify.HealingReport.Repair;

/// The receipts of one healing: for each archive that something was done to, or could not be done, as soon as that is so; one for all
/// others at the end; and one for each damaged copy elsewhere, which is no copy any more.
final class HealingReceipts {

    private final Place here;
    private final String about;
    private final boolean dryRun;
    private final InstantSource clock;
    private final Consumer<String> warnings;
    private final List<Receipt.Proof> untouched = new ArrayList<>();
    private final List<String> done = new ArrayList<>();
    private final List<String> lost = new ArrayList<>();
    private final List<Receipt.Proof> proofs = new ArrayList<>();
    private final Receipt.Draft all;
    private Receipt.Draft draft;
    private boolean anew;

    /// @param about where good bytes were sought
    HealingReceipts(Place here, String about, boolean dryRun, InstantSource clock, Consumer<String> warnings) {
        this.here = here;
        this.about = about;
        this.dryRun = dryRun;
        this.clock = clock;
        this.warnings = warnings;
        this.all = begin();
        this.draft = all;
    }

    private Receipt.Draft begin() {
        return begin(here, about);
    }

    private Receipt.Draft begin(Place place, String what) {
        return Receipt.begin(Receipt.What.HEAL, place.home(), place.volume().name(), what, clock);
    }

    void healed(Repair repair) {
        String from = repair.parts().stream().map(Part::from).distinct().collect(Collectors.joining(", "));
        done.add(repair.file() + ": " + repair.damage() + ": healed" + (repair.whole() ? "" : " in part") + (from.isEmpty() ? "" : " from " + from));
    }

    void lost(String file, String why) {
        lost.add(file + ": not healed: " + why);
    }

    void proved(Manifest manifest, Ranges good, Ranges bad, boolean written) {
        proofs.add(Receipt.Proof.of(manifest, Depth.STORED, bad.isEmpty() ? Receipt.Result.OK : Receipt.Result.DAMAGED, good, bad));
        anew |= written;
    }

    void damagedElsewhere(Place place, Manifest manifest, Ranges bad) {
        if (!dryRun) {
            String what = manifest.dataName() + ": damaged at " + bad.list().getFirst().from();
            new Receipts(place.volume()).add(
                    begin(place, here.home().folder().toString()).act(
                            Depth.STORED, Evidence.CACHE, Receipt.Result.DAMAGED,
                            List.of(Receipt.Proof.of(manifest, Depth.STORED, Receipt.Result.DAMAGED, Ranges.NONE, bad)),
                            List.of(what), List.of("the rest of the file")),
                    warnings);
        }
    }

    /// Ends what belongs to one archive.
    void endArchive() {
        if (done.isEmpty() && lost.isEmpty()) {
            untouched.addAll(proofs);
        } else {
            keep(draft, proofs, anew ? Evidence.MEDIUM : Evidence.CACHE);
        }
        proofs.clear();
        done.clear();
        lost.clear();
        anew = false;
        draft = begin();
    }

    /// Ends it all.
    void end() {
        if (!untouched.isEmpty()) {
            keep(all, untouched, Evidence.CACHE);
        }
    }

    private void keep(Receipt.Draft of, List<Receipt.Proof> what, Evidence evidence) {
        if (!dryRun) {
            List<String> findings = new ArrayList<>(lost);
            findings.addAll(done);
            new Receipts(here.volume()).add(
                    of.act(Depth.STORED, evidence, lost.isEmpty() ? Receipt.Result.OK : Receipt.Result.DAMAGED, what, findings, List.of(Depth.STORED.open())),
                    warnings);
        }
    }
}
