package varve.mounthelper.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import varve.archive.cli.Stdio;
import varve.archive.file.StoredArchive;
import varve.archive.vault.Depth;
import varve.archive.vault.Evidence;
import varve.archive.vault.Receipt;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.mounthelper.RestorePlan;

/// One vault's part of a restore, of which it gets a receipt.
///
/// @param read names of the data files that come from it
record RestoreTask(Receipt.Draft receipt, Receipts receipts, Set<String> read) {

    /// {@return the parts of those vaults that anything is read from}
    ///
    /// @param about what is restored to where
    static List<RestoreTask> of(List<Vault> places, RestorePlan plan, String about) throws IOException {
        String volume = plan.manifest().volume();
        List<RestoreTask> tasks = new ArrayList<>();
        for (Vault place : places) {
            Path folder = place.volume(volume).folder();
            Set<String> read = plan.chain().stream()
                    .map(StoredArchive::data)
                    .filter(data -> data.getParent().equals(folder))
                    .map(data -> data.getFileName().toString())
                    .collect(Collectors.toSet());
            if (!read.isEmpty()) {
                Receipt.Draft receipt = Receipt.begin(Receipt.What.RESTORE, place, volume, about, InstantSource.system());
                tasks.add(new RestoreTask(receipt, new Receipts(place.volume(volume)), read));
            }
        }
        return tasks;
    }

    void done(List<Receipt.Proof> proofs, Stdio stdio) {
        List<Receipt.Proof> ours = proofs.stream().filter(proof -> read.contains(proof.archive())).toList();
        receipts.add(
                receipt.act(Depth.CONTENT, Evidence.CACHE, Receipt.Result.OK, ours, List.of(), List.of("what this point does not need")),
                stdio::warn);
    }

    void failed(IOException e, Stdio stdio) {
        receipts.add(receipt.failed(e), stdio::warn);
    }
}
