package varve.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.seal.Keys;
import varve.archive.vault.Depth;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.testdata.TestFiles.BadVolume;
import varve.testdata.TestFiles.GoldenVolume;
import varve.testdata.TestFiles;
import varve.verify.work.Watcher;

/// The committed volumes: golden ones are proved at every depth, each bad one is refused by the rule that it breaks.
final class StoredVolumesTest {

    @TempDir
    Path folder;

    static List<GoldenVolume> golden() throws IOException {
        return TestFiles.golden();
    }

    static List<BadVolume> bad() throws IOException {
        return TestFiles.bad();
    }

    /// a vault with a copy of a volume
    private Vault vault(Path volume) throws IOException {
        Vault vault = Vault.openOrCreate(folder);
        Path to = Files.createDirectories(folder.resolve(volume.getFileName().toString()));
        try (Stream<Path> files = Files.list(volume)) {
            for (Path file : files.filter(file -> !file.getFileName().toString().startsWith("expect.")).toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
        return withKeys(vault);
    }

    private static Vault withKeys(Vault vault) {
        return vault.with(new Keys(List.of(TestFiles.identity()), (what, anew) -> Optional.empty()));
    }

    private Report verify(Path volume, Depth depth) throws IOException {
        VerifyOptions options = new VerifyOptions(depth, depth == Depth.CONTENT, 1, Optional.of(false), Optional.empty());
        return TestVault.verifier(List.of(vault(volume)), options)
                .verify(List.of(PointName.parse(volume.getFileName().toString())))
                .getFirst();
    }

    /// all of it in turns, where it was verified before
    private boolean soundInTurns() throws IOException {
        VerifyOptions proof = new VerifyOptions(Depth.CONTENT, true, 1, Optional.of(false), Optional.empty());
        PatrolOptions options = new PatrolOptions(PatrolOptions.Budget.NONE, Optional.empty(), Duration.ZERO, proof);
        return new Patrol(List.of(withKeys(Vault.open(folder))), options, InstantSource.system(), Watcher.NONE, Verifier.Ledger.NONE, warning -> {})
                .run(List.of()).sound();
    }

    @ParameterizedTest
    @MethodSource("golden")
    void goldenVolumeIsProved(GoldenVolume golden) throws IOException {
        Report report = verify(golden.folder(), Depth.CONTENT);
        assertEquals(
                golden.points().stream().map(point -> point.root() + " " + point.size()).toList(),
                report.points().stream()
                        .filter(Report.PointInTime::good)
                        .map(point -> point.point().state())
                        .map(state -> state.root() + " " + state.size())
                        .toList());
        // one of them comes without what can be done without
        List<Finding> others = report.findings().stream().filter(f -> !(f instanceof Finding.MissingFile)).toList();
        assertEquals(List.of(), others);
        assertTrue(report.worst().compareTo(Severity.SPARE) <= 0, () -> report.findings().toString());
        assertEquals(report.sound(), soundInTurns());
    }

    @ParameterizedTest
    @MethodSource("bad")
    void badVolumeIsRefusedByItsRule(BadVolume bad) throws IOException {
        Report report = verify(bad.folder(), Depth.CONTENT);
        assertFalse(report.sound(), bad::what);
        assertFalse(soundInTurns(), bad::what);
        Set<String> rules = report.findings().stream()
                .filter(finding -> finding.severity() != Severity.NOTE)
                .map(finding -> finding.rule().map(Enum::name).orElse(finding.text()))
                .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(rules.stream().anyMatch(rule -> rule.contains(bad.rule())), () -> bad.what() + ": " + report.findings());
    }
}
