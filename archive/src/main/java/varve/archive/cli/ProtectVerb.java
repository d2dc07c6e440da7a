package varve.archive.cli;

import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.PointName;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeSettings;

/// `varve protect`: keeps a point in time, whatever the policy says.
@Command(
        name = "protect",
        description = {
            "Keep a point in time, whatever the policy says.",
            "",
            "varve expire never removes a protected point, nor one that was recorded with a label.",
        })
public final class ProtectVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME@POINT", description = "What to protect: tools@latest, tools@2026-11-20, tools@-1, ...")
    private String point = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Option(names = "--remove", description = "Protect it no longer: the policy decides.")
    private boolean remove;

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Override
    public Purpose purpose() {
        return Purpose.RETAIN;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        PointName name = PointName.parse(point);
        Volume volume = vault.open().volume(name.volume());
        Manifest[] found = new Manifest[1];
        VolumeSettings.change(volume, lockWait.duration(), "varve protect " + point, (old, history) -> {
            found[0] = name.in(history).manifest();
            long number = found[0].sequence();
            return old.protectedPoints().contains(number) != remove ? old : remove ? old.unprotect(number) : old.protect(number);
        });
        String labelled = remove && found[0].label().isPresent() ? "; it is kept all the same, since it has a label" : "";
        stdio.out().println(name.volume() + "@" + Manifest.text(found[0].time()) + ": "
                + (remove ? "no longer protected" + labelled : "protected"));
        if (!remove && volume.read().history().path(found[0].state(), StoredArchive::dataAtHand).isEmpty()) {
            stdio.warnings().accept("its data is not all in this vault: the vaults that hold it hear that it is protected with the next varve copy, or with"
                    + " varve catalogue merge");
        }
        return ExitCode.OK;
    }
}
