package varve.archive.cli;

import java.io.IOException;
import java.time.InstantSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.sign.SecretKey;
import varve.archive.vault.Signatures;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeLock;

/// `varve sign`: signs a volume that was not signed before, or with another key.
@Command(
        name = "sign",
        description = {
            "Sign all manifests of a volume, and what they are together.",
            "",
            "Once, for a volume that was recorded before there was a key, and again when the key changes. From then on every run signs what it adds, with the key that "
                + "VARVE_SIGN_KEY names. What is signed already has to be signed well: prove the volume first (varve verify).",
        })
public final class SignVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME", description = "Name of the volume.")
    private String name = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Option(names = "--accept-loss", description = "Go on although manifests that were signed are gone, or settings, receipts or the head are not what was signed: "
            + "what is there now is what holds from now on.")
    private boolean acceptLoss;

    @Override
    public Purpose purpose() {
        return Purpose.TRUST;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Vault opened = vault.open();
        Volume volume = opened.volume(name);
        SecretKey key = opened.signing().key().orElseThrow(() -> new UsageException("which key? VARVE_SIGN_KEY has to name the file of a secret key"));
        volume.read(); // before a folder is made for the lock
        try (VolumeLock lock = VolumeLock.acquire(volume.folder(), lockWait.duration(), "varve sign " + name)) {
            int count = Signatures.of(volume).signAll(key, InstantSource.system().instant(), acceptLoss);
            stdio.out().println(name + ": " + count + (count == 1 ? " manifest" : " manifests") + " and the head signed by key " + key.publicKey().id());
        }
        if (!opened.signing().trust().keys(name).contains(key.publicKey())) {
            stdio.err().println("next: varve trust add " + name + " " + key.publicKey().text() + " on each host that verifies; this one does not believe it yet");
        }
        return ExitCode.OK;
    }
}
