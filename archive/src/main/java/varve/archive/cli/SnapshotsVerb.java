package varve.archive.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.SnapshotCleaning;
import varve.archive.SnapshotCleaning.Found;
import varve.archive.snapshot.Origin;
import varve.archive.snapshot.Origins;
import varve.archive.snapshot.SnapshotSettings;
import varve.archive.vault.Vault;

/// `varve snapshots`: the snapshots that varve has taken, and those that nobody needs.
@Command(
        name = "snapshots",
        description = {
            "Show the snapshots that varve archive has taken, and clean up those that nobody needs.",
            "",
            "One snapshot of a device is kept for each volume: the one that the next delta starts from. Others are left over from runs that were "
                    + "killed. The next run of the volume removes them; this does it now. Snapshots of other vaults are shown, and left alone.",
        })
public final class SnapshotsVerb implements Verb {

    @Parameters(arity = "0..*", paramLabel = "SOURCE",
            description = "Where to look: lvm:VG/LV, lvm-thin:VG/LV, rbd:POOL/IMAGE, drbd:RESOURCE. Default: all of LVM, and whatever the volumes "
                    + "of the vault were made from.")
    private List<String> sources = new ArrayList<>();

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--clean", description = "Remove what is left over, and put right what killed runs have left else.")
    private boolean clean;

    @Option(names = "--forget", description = "Remove the kept ones too: the next run of each volume reads the whole device.")
    private boolean forget;

    @Option(names = {"-n", "--dry-run"}, description = "Say what would be removed, and remove nothing.")
    private boolean dryRun;

    @Option(names = "--tool-timeout", paramLabel = "SECONDS",
            description = "How long lvs, lvremove, rbd, drbdadm and the like may take, each. Default: 900.")
    private long timeout = SnapshotSettings.DEFAULTS.limit().toSeconds();

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.RECORD;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Vault place = vault.open();
        List<Origin> named = sources.stream().map(this::origin).toList();
        SnapshotCleaning cleaning = new SnapshotCleaning(place, named, settings(), stdio.warnings());
        List<Found> found = cleaning.find();
        List<Found> unwanted = found.stream().filter(f -> f.unwanted(forget)).toList();
        boolean remove = (clean || forget) && !dryRun;
        int removed = remove ? cleaning.remove(unwanted, lockWait.duration()) : 0;
        if (json.asked()) {
            json(stdio, found, remove ? unwanted : List.of());
        } else {
            print(stdio, found);
            if (!unwanted.isEmpty()) {
                stdio.out().println(remove ? "removed " + removed + " of them" : unwanted.size() + " to remove, with varve snapshots --"
                        + (forget ? "forget" : "clean"));
            }
        }
        return ExitCode.OK;
    }

    private SnapshotSettings settings() {
        SnapshotSettings defaults = SnapshotSettings.DEFAULTS;
        return new SnapshotSettings(defaults.storeSize(), false, SnapshotOptions.seconds("--tool-timeout", timeout));
    }

    private Origin origin(String word) {
        try {
            return Origins.parse(word, settings())
                    .orElseThrow(() -> new UsageException(word + ": expected lvm:, lvm-thin:, rbd: or drbd:, and what to look at"));
        } catch (IllegalArgumentException e) {
            throw new UsageException(word + ": " + e.getMessage());
        }
    }

    private static void json(Stdio stdio, List<Found> all, List<Found> removed) {
        try (JsonText text = new JsonText(stdio.out())) {
            text.array();
            for (Found found : all) {
                text.object()
                        .member("origin", found.origin())
                        .member("name", found.name())
                        .member("volume", found.volume())
                        .member("vaultId", found.vault().toString())
                        .member("state", found.state().word())
                        .member("point", found.point())
                        .member("removed", removed.contains(found))
                        .end();
            }
        }
    }

    private static void print(Stdio stdio, List<Found> all) {
        Table table = new Table("of", "volume", "snapshot", "state");
        all.forEach(found -> table.row(found.origin(), found.volume(), found.name(), state(found)));
        table.print(stdio.out(), "no snapshots of varve are there");
    }

    private static String state(Found found) {
        return found.state().meaning() + (found.point() == null ? "" : ", which starts from " + found.point());
    }
}
