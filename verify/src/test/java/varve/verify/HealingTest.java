package varve.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import varve.archive.block.RefusedException;
import varve.archive.format.JsonMembers;
import varve.archive.sign.SecretKey;
import varve.archive.sign.Signing;
import varve.archive.sign.Trust;
import varve.archive.vault.Depth;
import varve.archive.vault.Ranges;
import varve.archive.vault.Vault;
import varve.testdata.Damage;
import varve.testdata.Images;
import varve.verify.work.Watcher;

/// Where good bytes may come from, and what is said of those that are nowhere. [DamagedSetsTest] has two copies and any damage.
final class HealingTest {

    private static final int CHUNK = TestVault.CHUNK;
    private static final int GROUP = 1 << 20;
    private static final int FRAME = CHUNK + 10; // of noise

    @TempDir
    Path folder;

    private TestVault tools;
    private byte[] first;
    private Path device;

    /// a full of three groups, and a delta that changes chunk 3
    @BeforeEach
    void archives() throws IOException {
        first = Images.noise(1, 40 * CHUNK + 5000);
        byte[] second = first.clone();
        second[3 * CHUNK]++;
        tools = new TestVault(folder).add(first).add(second);
        device = folder.resolve("image");
    }

    private HealingReport heal(Optional<Path> device, boolean dryRun, Path... from) throws IOException, InterruptedException {
        List<Vault> others = new ArrayList<>();
        for (Path vault : from) {
            others.add(Vault.open(vault));
        }
        HealingOptions options = new HealingOptions(others, device, dryRun, 1, Duration.ZERO);
        return new Healing(tools.vault, "tools", options, InstantSource.system(), Watcher.NONE, repair -> {}).run();
    }

    private Map<Path, byte[]> files() throws IOException {
        Map<Path, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(tools.volume.folder())) {
            for (Path file : all.filter(file -> !file.getFileName().toString().startsWith(".varve-lock")).toList()) {
                files.put(file, Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static void assertSame(Map<Path, byte[]> expected, Map<Path, byte[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((file, bytes) -> assertArrayEquals(bytes, found.get(file), file.toString()));
    }

    /// damages the frame of a chunk of the full
    private byte[] damageChunk(int chunk) throws IOException {
        byte[] good = Files.readAllBytes(tools.file(0, "zst"));
        Damage.flip(104 + chunk * FRAME + FRAME / 2, 3).inflictOn(tools.file(0, "zst"));
        return good;
    }

    private Path copy() throws IOException {
        Vault other = Vault.openOrCreate(folder.resolve("other"));
        Folders.copy(tools.volume.folder(), other.folder().resolve("tools"));
        return other.folder();
    }

    @Test
    void whatIsWholeIsLeftAlone() throws Exception {
        Path other = copy();
        Map<Path, byte[]> before = files();
        HealingReport report = heal(Optional.of(device), true, other);
        assertTrue(report.healthy());
        assertEquals(List.of(), report.repairs());
        assertEquals(0, report.readElsewhere());
        assertSame(before, files());
    }

    @Test
    void aDryRunSaysWhatWouldBeDoneAndWritesNothing() throws Exception {
        Path other = copy();
        byte[] good = damageChunk(17);
        Files.delete(tools.file(1, "tree"));
        Map<Path, byte[]> before = files();
        HealingReport plan = heal(Optional.empty(), true, other);
        assertSame(before, files());
        HealingReport done = heal(Optional.empty(), false, other);
        assertEquals(done.repairs(), plan.repairs());
        assertTrue(plan.healthy() && done.healthy());
        assertArrayEquals(good, Files.readAllBytes(tools.file(0, "zst")));
    }

    @Test
    void noMoreIsReadElsewhereThanIsDamaged() throws Exception {
        Path other = copy();
        damageChunk(17);
        HealingReport report = heal(Optional.empty(), false, other);
        assertEquals(GROUP, report.readElsewhere());
        assertEquals(List.of(new HealingReport.Part(GROUP, GROUP, "vault " + other)), report.repairs().getFirst().parts());
    }

    @Test
    void theDamagedFileIsNotWrittenIntoButReplaced() throws Exception {
        Path other = copy();
        byte[] good = damageChunk(17);
        Path second = Files.createLink(folder.resolve("link"), tools.file(0, "zst"));
        byte[] damaged = Files.readAllBytes(second);
        heal(Optional.empty(), false, other);
        assertArrayEquals(damaged, Files.readAllBytes(second));
        assertArrayEquals(good, Files.readAllBytes(tools.file(0, "zst")));
    }

    // ---- the device

    @Test
    void theDeviceHealsWhatItStillHolds() throws Exception {
        byte[] good = damageChunk(17);
        HealingReport report = heal(Optional.of(device), false);
        assertTrue(report.healthy());
        assertTrue(report.repairs().getFirst().parts().getFirst().from().contains(device.toString()), () -> report.repairs().toString());
        assertArrayEquals(good, Files.readAllBytes(tools.file(0, "zst")));
        assertEquals(List.of(), tools.verify(Depth.CONTENT).findings());
    }

    @Test
    void aDeviceThatHasChangedSinceHealsNothing() throws Exception {
        damageChunk(17);
        byte[] content = Files.readAllBytes(device);
        content[17 * CHUNK + 5] ^= 1; // one bit of the chunk that is needed
        Files.write(device, content);
        byte[] damaged = Files.readAllBytes(tools.file(0, "zst"));
        HealingReport report = heal(Optional.of(device), false);
        assertFalse(report.healthy());
        assertArrayEquals(damaged, Files.readAllBytes(tools.file(0, "zst")));
    }

    @Test
    void ofTwoDamagedChunksTheDeviceHealsTheOneThatItHas() throws Exception {
        byte[] good = damageChunk(2);
        damageChunk(20);
        byte[] content = Files.readAllBytes(device);
        Arrays.fill(content, 2 * CHUNK, 3 * CHUNK, (byte) 1);
        Files.write(device, content);
        HealingReport report = heal(Optional.of(device), false);
        byte[] now = Files.readAllBytes(tools.file(0, "zst"));
        assertTrue(Arrays.equals(good, GROUP, good.length, now, GROUP, now.length));
        assertEquals(List.of(Optional.of(new Ranges.Range(0, GROUP))), report.losses().stream().map(HealingReport.Loss::range).toList());
    }

    // ---- other archives

    @Test
    void anotherArchiveThatHoldsTheSameHeals() throws Exception {
        tools.addFull(Files.readAllBytes(device));
        byte[] good = damageChunk(17);
        HealingReport report = heal(Optional.empty(), false);
        assertTrue(report.healthy(), () -> report.losses().toString());
        assertTrue(report.repairs().getFirst().parts().getFirst().from().contains(tools.file(2, "zst").getFileName().toString()), () -> report.repairs().toString());
        assertArrayEquals(good, Files.readAllBytes(tools.file(0, "zst")));
    }

    @ParameterizedTest
    @CsvSource({"0, index", "0, tree", "1, index", "1, tree"})
    void tablesAndTreesAreMadeOfTheDataFile(int archive, String extension) throws Exception {
        Path file = tools.file(archive, extension);
        byte[] good = Files.readAllBytes(file);
        Damage.truncate(good.length / 2).inflictOn(file);
        assertTrue(heal(Optional.empty(), false).healthy());
        assertArrayEquals(good, Files.readAllBytes(file));
        Files.delete(file);
        assertTrue(heal(Optional.empty(), false).healthy());
        assertArrayEquals(good, Files.readAllBytes(file));
    }

    @Test
    void tablesInTheDataFileAreMadeOfTheIndex() throws Exception {
        byte[] good = Files.readAllBytes(tools.file(0, "zst"));
        Damage.flip(good.length - 1000, 2).inflictOn(tools.file(0, "zst"));
        Damage.flip(50, 2).inflictOn(tools.file(0, "zst")); // and the header
        assertTrue(heal(Optional.empty(), false).healthy());
        assertArrayEquals(good, Files.readAllBytes(tools.file(0, "zst")));
    }

    @Test
    void aManifestComesFromAnotherVaultOrIsLost() throws Exception {
        Path other = copy();
        Path file = tools.file(1, "json");
        byte[] good = Files.readAllBytes(file);
        Damage.flip(300, 1).inflictOn(file);
        HealingReport alone = heal(Optional.empty(), false);
        assertEquals(List.of(file.getFileName().toString()), alone.losses().stream().map(HealingReport.Loss::file).toList());
        assertTrue(heal(Optional.empty(), false, other).healthy());
        assertArrayEquals(good, Files.readAllBytes(file));
    }

    @Test
    void aSignedManifestComesWithItsSignatureAndAFalseOneNotAtAll() throws Exception {
        SecretKey key = SecretKey.generate(new SecureRandom());
        Path secret = Files.write(folder.resolve("key"), key.file(Optional.empty(), new SecureRandom()));
        Signing signing = new Signing(new Trust(List.of(new Trust.Entry("tools", key.publicKey()))), Optional.of(secret), Optional::empty);
        tools = new TestVault(Files.createDirectory(folder.resolve("signed")), signing).add(first).add(first);
        Path other = copy();
        Path manifest = tools.file(1, "json");
        Path signature = tools.file(1, "json.minisig");
        byte[] good = Files.readAllBytes(manifest);
        byte[] signed = Files.readAllBytes(signature);
        Damage.flip(300, 1).inflictOn(manifest);
        Files.delete(signature);
        assertFalse(heal(Optional.empty(), false).healthy());
        assertFalse(Files.exists(signature));

        Path there = other.resolve("tools").resolve(manifest.getFileName());
        JsonMembers json = JsonMembers.parse(good, "test");
        json.text("label", "another"); // whole by itself, but nobody signed that
        json.seal();
        Files.writeString(there, json.toString());
        assertFalse(heal(Optional.empty(), false, other).healthy());

        Files.write(there, good);
        assertTrue(heal(Optional.empty(), false, other).healthy());
        assertArrayEquals(good, Files.readAllBytes(manifest));
        assertArrayEquals(signed, Files.readAllBytes(signature));
        assertTrue(tools.verify(Depth.STORED).sound());
    }

    // ---- what cannot be healed

    @Test
    void whatCannotBeHealedIsListedExactly() throws Exception {
        Path other = copy();
        damageChunk(17);
        Damage.flip(GROUP + 40_000, 1).inflictOn(other.resolve("tools").resolve(tools.file(0, "zst").getFileName()));
        damageChunk(3); // which only the first point needs: its frame is whole in the other copy
        byte[] damaged = Files.readAllBytes(tools.file(0, "zst"));
        HealingReport report = heal(Optional.empty(), false, other);
        // the frames that are damaged in both are not the same, so even this comes together
        assertTrue(report.healthy(), () -> report.losses().toString());
        assertEquals(List.of(), tools.verify(Depth.CONTENT).findings());

        Files.write(tools.file(0, "zst"), damaged);
        HealingReport alone = heal(Optional.empty(), false);
        assertEquals(1, alone.losses().size());
        HealingReport.Loss loss = alone.losses().getFirst();
        assertEquals(Optional.of(new Ranges.Range(0, 2 * GROUP)), loss.range());
        assertEquals(Ranges.union(List.of(new Ranges.Range(3L * CHUNK, 4L * CHUNK), new Ranges.Range(17L * CHUNK, 18L * CHUNK))), loss.chunks());
        assertEquals(2, loss.points().size());
        assertArrayEquals(damaged, Files.readAllBytes(tools.file(0, "zst")));
    }

    @Test
    void aVaultIsNotItsOwnSource() {
        assertThrows(RefusedException.class, () -> heal(Optional.empty(), false, tools.vault.folder()));
    }
}
