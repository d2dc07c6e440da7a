package varve.archive.vault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import varve.archive.cli.Captured;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Main;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.testdata.Damage;
import varve.testdata.Images;

final class KnownManifestsTest {

    private static final int TICK_MILLIS = 3200; // from which on a file can be known

    @TempDir
    private Path folder;

    private Volume volume;
    private Path cache;

    /// a full, two deltas, what they are folded into, and a sealed delta
    @BeforeEach
    void archives() throws Exception {
        Path image = folder.resolve("image");
        for (int day = 0; day < 4; day++) {
            byte[] content = Images.noise(1, 1 << 20);
            content[day * 100_000] ^= 1;
            Files.write(image, content);
            run("archive", image.toString(), "--volume", "tools", "--label", "day " + day);
        }
        run("consolidate", "tools", "--from", "-2", "--to", "latest");
        run("archive", image.toString(), "--volume", "tools", "--recipient", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");
        volume = Vault.open(folder.resolve("vault")).volume("tools");
        cache = folder.resolve("vault/.varve-list/tools.known");
        Thread.sleep(TICK_MILLIS);
    }

    private void run(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--vault", folder.resolve("vault").toString()));
        Captured captured = new Captured();
        assertEquals(ExitCode.OK, Main.run(captured.stdio(0), all.toArray(String[]::new)), captured::err);
    }

    private Volume.Content look() throws IOException {
        return Volume.look(List.of(volume));
    }

    private Path manifest(int archive) throws IOException {
        return volume.read().history().archives().get(archive).manifestFile();
    }

    private void assertLooksAsItIs() throws IOException {
        Volume.Content read = volume.read();
        Volume.Content looked = look();
        assertEquals(read.history(), looked.history());
        assertEquals(read.problems().stream().map(p -> p.manifest() + p.cause()).toList(), looked.problems().stream().map(p -> p.manifest() + p.cause()).toList());
    }

    /// {@return the label that a look sees of the first archive, after one of another label was made known}
    private Optional<String> labelAfterForging() throws IOException {
        StoredArchive first = volume.read().history().archives().getFirst();
        Manifest m = first.manifest();
        Manifest forged = new Manifest(m.kind(), m.volume(), m.volumeId(), m.sequence(), m.previous(), m.original(), m.time(), m.finished(), Optional.of("forged"), m.source(),
                m.host(), m.tool(), m.chunkLog(), m.state(), m.parent(), m.changedSize(), m.payloadSize(), m.file(), m.index(), m.seal());
        KnownManifests known = new KnownManifests(volume);
        known.add(first.manifestFile().getFileName().toString(), forged, m.originalHash(), Stamp.of(first.manifestFile()).orElseThrow());
        known.save(List.of(first.manifestFile()));
        return look().history().archives().getFirst().manifest().label();
    }

    @Test
    void whatHasNotChangedIsNotReadAgainAndSaysTheSame() throws Exception {
        assertLooksAsItIs();
        byte[] kept = Files.readAllBytes(cache);
        assertLooksAsItIs();
        assertEquals(Optional.of("forged"), labelAfterForging());
        assertEquals(Optional.of("day 0"), volume.read().history().archives().getFirst().manifest().label());
        Files.write(cache, kept);

        Damage.flip(300, 0).inflictOn(manifest(1)); // of the same size
        assertFalse(look().problems().isEmpty());
        assertLooksAsItIs();
        Damage.flip(300, 0).inflictOn(manifest(0));
        Files.delete(volume.read().history().archives().getLast().manifestFile());
        assertLooksAsItIs();
        Thread.sleep(TICK_MILLIS); // what is damaged is never known
        assertLooksAsItIs();
        assertLooksAsItIs();
    }

    @Test
    void cacheThatIsDamagedOrOfAnotherVolumeIsRefused() throws Exception {
        assertLooksAsItIs();
        byte[] kept = Files.readAllBytes(cache);
        for (int at = 0; at < kept.length; at += 97) {
            Files.write(cache, kept);
            Damage.flip(at, at % 8).inflictOn(cache);
            assertTrue(KnownManifests.read(volume).of(manifestName(), stamp()).isEmpty(), "byte " + at);
            Files.write(cache, kept);
            Damage.truncate(at).inflictOn(cache);
            assertTrue(KnownManifests.read(volume).of(manifestName(), stamp()).isEmpty(), "cut at " + at);
        }
        Files.write(cache, kept);
        assertTrue(KnownManifests.read(volume).of(manifestName(), stamp()).isPresent());
        Files.copy(cache, cache.resolveSibling("other.known"));
        assertTrue(KnownManifests.read(new Volume("other", volume.folder())).of(manifestName(), stamp()).isEmpty());
        Files.delete(cache);
        Files.createDirectory(cache);
        assertLooksAsItIs();
    }

    @Test
    @Timeout(60)
    void nobodyWaitsForAPipeInItsPlace() throws Exception {
        Path digest = cache.resolveSibling("tools.json"); // which list goes by
        Files.createDirectories(cache.getParent());
        Files.deleteIfExists(cache);
        Files.deleteIfExists(digest);
        assertEquals(0, new ProcessBuilder("mkfifo", cache.toString(), digest.toString()).start().waitFor());
        Captured.varve("list", "--vault", folder.resolve("vault")).expect(0);
        assertTrue(KnownManifests.read(volume).of(manifestName(), stamp()).isEmpty());
        assertLooksAsItIs();
    }

    private String manifestName() throws IOException {
        return manifest(0).getFileName().toString();
    }

    private Optional<Stamp> stamp() throws IOException {
        return Stamp.of(manifest(0));
    }
}
