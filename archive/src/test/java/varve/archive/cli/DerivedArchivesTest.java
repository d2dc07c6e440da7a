package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.chain.Point;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;
import varve.archive.vault.Volume;
import varve.testdata.TestFiles;

/// Points in time that several archives carry, or only archives that were derived: the golden volume `derived`.
final class DerivedArchivesTest {

    private final Captured captured = new Captured();

    @TempDir
    private Path folder;

    private Volume volume;

    @BeforeEach
    void copy() throws IOException {
        Vault vault = Vault.openOrCreate(folder.resolve("vault"));
        volume = vault.volume("derived");
        Files.createDirectories(volume.folder());
        try (Stream<Path> files = Files.list(TestFiles.root().resolve("golden/derived"))) {
            for (Path file : files.filter(f -> !f.endsWith("expect.json")).toList()) {
                Files.copy(file, volume.folder().resolve(file.getFileName()));
            }
        }
    }

    private String run(String... args) {
        String[] all = Stream.concat(Stream.of(args), Stream.of("--vault", folder.resolve("vault").toString())).toArray(String[]::new);
        assertEquals(ExitCode.OK, Main.run(captured.stdio(0), all), captured::err);
        return captured.out();
    }

    @Test
    void aPointIsListedOnceHoweverManyArchivesCarryIt() {
        List<String> lines = run("list", "derived").lines().skip(1).toList();
        assertEquals(7, lines.size());
        for (int i = 0; i < lines.size(); i++) {
            assertTrue(lines.get(i).startsWith(i + 1 + "  2026-11-0" + (i + 1)), lines.get(i));
        }
    }

    @Test
    void showSaysWhichArchivesCarryAPoint() throws IOException {
        Point last = volume.read().sound().latest().orElseThrow();
        assertEquals(List.of(false, true), last.archives().stream().map(archive -> archive.manifest().derived()).toList());
        String shown = run("show", "derived");
        for (StoredArchive archive : last.archives()) {
            assertTrue(shown.contains(archive.manifest().baseName() + ".zst"), shown);
        }
    }

    @Test
    void pointsAreCountedBackAndNotArchives() throws IOException {
        for (int back = 1; back <= 6; back++) {
            Manifest manifest = PointName.parse("derived@-" + back).in(volume.read().sound()).manifest();
            assertEquals(7 - back, manifest.sequence());
        }
    }

    @Test
    void theNextPointNamesTheOriginalManifestAlsoWhenOnlyADerivedArchiveIsLeft() throws IOException {
        Point last = volume.read().sound().latest().orElseThrow();
        StoredArchive original = last.archive();
        for (Path file : List.of(original.data(), original.index(), original.tree(), original.manifestFile())) {
            Files.delete(file);
        }
        Point left = volume.read().sound().latest().orElseThrow();
        assertTrue(left.manifest().derived());
        assertEquals(original.manifest().originalHash(), left.manifest().originalHash());
        Path image = folder.resolve("image");
        Files.write(image, new byte[100_000]);
        run("archive", image.toString(), "--volume", "derived");
        Manifest next = volume.read().sound().latest().orElseThrow().manifest();
        assertEquals(8, next.sequence());
        assertEquals(original.manifest().originalHash(), next.previous().orElseThrow());
        assertFalse(next.derived());
    }
}
