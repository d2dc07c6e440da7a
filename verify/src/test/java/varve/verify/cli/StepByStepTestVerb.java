package varve.verify.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Stdio;
import varve.archive.cli.Verb;
import varve.archive.vault.Depth;
import varve.archive.vault.Receipts;
import varve.archive.vault.Vault;
import varve.verify.Patrol;
import varve.verify.PatrolOptions;
import varve.verify.VerifyOptions;
import varve.verify.work.Watcher;

/// `varve verify --budget` for tests that kill it: a budget of so many bytes, and a receipt after each volume's slice.
@Command(name = "step-by-step", description = "For tests.")
public final class StepByStepTestVerb implements Verb {

    @Parameters(index = "0")
    private Path vault = Path.of("");

    @Parameters(index = "1")
    private long bytes;

    @Override
    public Purpose purpose() {
        return Purpose.PROVE;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        VerifyOptions proof = new VerifyOptions(Depth.CONTENT, false, 1, Optional.of(false), Optional.empty());
        PatrolOptions options = new PatrolOptions(PatrolOptions.Budget.of(bytes), Optional.empty(), Duration.ZERO, proof);
        new Patrol(List.of(Vault.open(vault)), options, InstantSource.system(), Watcher.NONE,
                (volume, act) -> new Receipts(volume).add(act, stdio::warn), stdio::warn).run(List.of());
        return ExitCode.OK;
    }
}
