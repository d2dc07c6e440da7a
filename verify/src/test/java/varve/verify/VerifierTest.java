package varve.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import varve.archive.format.Rule;
import varve.archive.vault.Depth;
import varve.archive.vault.NotFoundException;
import varve.testdata.Damage;
import varve.testdata.Histories;
import varve.testdata.History;
import varve.testdata.Images;

/// What is found, where, and what of it the user's points in time suffer. [EveryByteTest] leaves no byte out.
final class VerifierTest {

    private static final int CHUNK = TestVault.CHUNK;

    @TempDir
    Path folder;

    private TestVault tools;

    /// a full and three deltas; the third delta changes nothing, the last chunk is zero, the data file has three groups
    @BeforeEach
    void archives() throws IOException {
        byte[] image = Images.noise(1, 40 * CHUNK + 5000);
        Arrays.fill(image, 30 * CHUNK, 34 * CHUNK, (byte) 0);
        tools = new TestVault(folder);
        tools.add(image);
        image = image.clone();
        image[3 * CHUNK + 7] ^= 1;
        image[20 * CHUNK] ^= 1;
        tools.add(image);
        image = image.clone();
        image[3 * CHUNK + 9000] ^= 1;
        image[31 * CHUNK] ^= 1;
        tools.add(image);
        tools.add(image);
    }

    private static void assertSound(Report report) {
        assertEquals(List.of(), report.findings());
        assertTrue(report.points().stream().allMatch(Report.PointInTime::good), () -> report.points().toString());
        assertTrue(report.sound());
    }

    /// {@return the only finding}
    private static Finding only(Report report) {
        assertEquals(1, report.findings().size(), () -> report.findings().toString());
        assertFalse(report.sound() && report.worst() != Severity.NOTE);
        return report.findings().getFirst();
    }

    private static List<Boolean> good(Report report) {
        return report.points().stream().map(Report.PointInTime::good).toList();
    }

    private void damage(int archive, String suffix, Damage damage) throws IOException {
        damage.inflictOn(tools.file(archive, suffix));
    }

    // ---- nothing is wrong

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SOURCE")
    void undamagedVolumeIsSound(Depth depth) {
        Report report = tools.verify(depth);
        assertSound(report);
        assertEquals(4, report.points().size());
        assertEquals(0, report.otherPoints());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SOURCE")
    void undamagedPointIsSound(Depth depth) {
        for (String point : List.of("tools@latest", "tools@-1", "tools@-2", "tools@-3", "tools@2026-11-02")) {
            Report report = tools.verify(point, depth);
            assertSound(report);
            assertEquals(1, report.points().size());
            assertEquals(3, report.otherPoints());
        }
    }

    @Test
    void contentReadsEveryByteOfTheDataFiles() throws IOException {
        long data = 0;
        for (int i = 0; i < 4; i++) {
            for (String suffix : List.of("zst", "json", "tree", "index")) {
                data += Files.size(tools.file(i, suffix));
            }
        }
        Report report = tools.verify(Depth.CONTENT);
        assertEquals(data, report.read());
        assertEquals(16, report.files());
        assertEquals(data, tools.verify(Depth.STORED).read());
    }

    @Test
    void zerosAreHashedWhenAsked() {
        Report tables = tools.verify("tools@-3", Depth.CONTENT);
        assertEquals(4 * CHUNK, tables.zeros());
        Report hashed = tools.verify("tools@-3", new VerifyOptions(Depth.CONTENT, true, 2, Optional.of(false), Optional.empty()));
        assertSound(hashed);
        assertEquals(0, hashed.zeros());
        assertEquals(tables.proved() + 4 * CHUNK, hashed.proved());
    }

    /// although files are read while tables are looked at
    @Test
    void whatIsStoredWronglyIsToldInTheOrderOfTheArchivesOfThePath() throws IOException {
        for (int archive = 0; archive < 3; archive++) {
            Files.delete(tools.file(archive, "tree"));
        }
        Files.delete(tools.file(2, "index"));
        damage(0, "zst", Damage.flip(5000, 0));
        damage(1, "zst", Damage.flip(500, 0));
        for (int threads : new int[] {1, 2, 8}) {
            Report report = tools.verify("tools", new VerifyOptions(Depth.STORED, false, threads, Optional.of(false), Optional.empty()));
            List<String> names = Stream.of(
                            tools.file(2, "index"), tools.file(0, "tree"), tools.file(0, "zst"), tools.file(1, "tree"), tools.file(1, "zst"), tools.file(2, "tree"))
                    .map(file -> file.getFileName().toString())
                    .toList();
            assertEquals(names, report.findings().stream().map(Finding::file).toList(), () -> report.findings().toString());
        }
    }

    static Stream<Long> seeds() {
        return Histories.seeds(6).stream();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void randomHistoriesAreSoundAtEveryDepth(long seed, @TempDir Path place) throws IOException {
        History history = Histories.random(seed, 8, CHUNK, 20 * CHUNK);
        TestVault vault = new TestVault(place);
        for (History.Point point : history.points()) {
            vault.add(point.image());
        }
        for (Depth depth : TestVault.DEPTHS) {
            VerifyOptions options = new VerifyOptions(depth, depth == Depth.CONTENT, 2, Optional.of(false), Optional.empty());
            assertSound(vault.verify("tools", options));
            for (int i = 0; i < history.points().size(); i++) {
                assertSound(vault.verify("tools@-" + i, options));
            }
        }
    }

    @Test
    void unknownVolumeOrPointIsAnError() {
        for (String name : List.of("other", "tools@2025-01-01", "tools@-4", "tools@0123456789")) {
            var e = assertThrows(UncheckedIOException.class, () -> tools.verify(name, Depth.STRUCTURE));
            assertTrue(e.getCause() instanceof NotFoundException, name);
        }
    }

    // ---- damage, and what it means

    @Test
    void flippedBitInAFrameIsFoundWhereItIs() throws IOException {
        damage(0, "zst", Damage.flip((1 << 20) + 70_000, 3));
        assertSound(tools.verify(Depth.STRUCTURE));

        Report stored = tools.verify(Depth.STORED);
        assertEquals(new Finding.DamagedRange(tools.file(0, "zst").getFileName().toString(), 1 << 20, 1 << 20), only(stored));
        assertEquals(List.of(false, false, false, false), good(stored));

        Report content = tools.verify(Depth.CONTENT);
        assertEquals(2, content.findings().size(), () -> content.findings().toString());
        Finding.DamagedChunks chunks = (Finding.DamagedChunks) content.findings().get(1);
        assertEquals(17 * CHUNK, chunks.offset());
        assertEquals(CHUNK, chunks.size());
        assertEquals(tools.file(0, "zst").getFileName().toString(), chunks.file());
    }

    @Test
    void damageInTheFullIsNotBlamedOnTheDeltaThatStandsOnIt() throws IOException {
        damage(0, "zst", Damage.flip(3 * (CHUNK + 12) + 300, 0)); // chunk 3, of which the deltas change a block each
        Report report = tools.verify(Depth.CONTENT);
        assertEquals(List.of("damaged-range", "damaged-chunks"), report.findings().stream().map(Finding::kind).toList());
        assertTrue(report.findings().stream().allMatch(f -> f.file().equals(tools.file(0, "zst").getFileName().toString())));
        assertEquals(List.of(tools.file(0, "zst").getFileName().toString()), report.points().getLast().because());
    }

    @Test
    void damageToWhatAPointDoesNotNeedIsToldButThePointIsProved() throws IOException {
        byte[] image = Images.text(5, 3 * CHUNK);
        tools = new TestVault(folder.resolve("other"));
        tools.add(image);
        image = image.clone();
        System.arraycopy(Images.noise(3, CHUNK), 0, image, CHUNK, CHUNK);
        tools.add(image);
        damage(0, "zst", Damage.flip(104 + (int) Files.size(tools.file(0, "zst")) / 3, 0)); // in chunk 1
        assertEquals(List.of(false, false), good(tools.verify(Depth.CONTENT)));
        Report latest = tools.verify("tools@latest", Depth.CONTENT);
        assertEquals("damaged-range", only(latest).kind());
        assertEquals(List.of(true), good(latest));
        assertFalse(latest.sound());
    }

    @Test
    void damagedDeltaLeavesThePointsBeforeIt() throws IOException {
        damage(1, "zst", Damage.flip(300, 0));
        Report report = tools.verify(Depth.CONTENT);
        assertEquals(List.of(true, false, false, false), good(report));
        assertEquals(Severity.DAMAGE, report.points().get(2).verdict());
        assertSound(tools.verify("tools@2026-11-01", Depth.CONTENT));
    }

    @Test
    void anotherFullMakesUpForADamagedOne() throws IOException {
        byte[] image = Images.text(5, 3 * CHUNK);
        tools = new TestVault(folder.resolve("other"));
        tools.add(image).addFull(image);
        image = image.clone();
        image[5] ^= 1;
        tools.add(image);
        damage(0, "zst", Damage.flip(200, 0));
        assertEquals(List.of(true, true, true), good(tools.verify(Depth.CONTENT)));
        assertEquals(List.of(true, true, true), good(tools.verify(Depth.STORED)));
    }

    @Test
    void everythingDamagedIsAFewFindings() throws IOException {
        byte[] data = Files.readAllBytes(tools.file(0, "zst"));
        int index = (int) (data.length - tools.manifest(0).index().size() - 1000);
        Arrays.fill(data, 104, index, (byte) 0x55);
        Files.write(tools.file(0, "zst"), data);
        Report report = tools.verify(Depth.CONTENT);
        assertTrue(report.findings().size() <= 5, () -> report.findings().toString());
        assertEquals(List.of(false, false, false, false), good(report));
    }

    @Test
    void withoutATreeDamageIsSeenButNotLocated() throws IOException {
        Files.delete(tools.file(0, "tree"));
        Finding missing = only(tools.verify(Depth.STORED));
        assertEquals("missing-file", missing.kind());
        assertEquals(Severity.SPARE, missing.severity());
        assertEquals(List.of(true, true, true, true), good(tools.verify(Depth.STORED)));

        damage(0, "zst", Damage.flip(500_000, 0));
        Report report = tools.verify(Depth.STORED);
        assertEquals("wrong-hash", report.findings().get(1).kind());
        assertEquals(List.of(false, false, false, false), good(report));
    }

    @Test
    void treeOfAnotherFileIsNotBelieved() throws IOException {
        Files.copy(tools.file(1, "tree"), tools.file(2, "tree"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertSound(tools.verify(Depth.STRUCTURE));
        Finding finding = only(tools.verify(Depth.STORED));
        assertEquals("damaged-tree", finding.kind());
        assertEquals(Rule.F041, finding.rule().orElseThrow()); // a file of another size
    }

    @Test
    void damagedIndexFileIsNoLossWhileTheDataFileHasTheTables() throws IOException {
        damage(1, "index", Damage.flip(100, 0));
        for (Depth depth : TestVault.DEPTHS) {
            Report report = tools.verify(depth);
            assertEquals("damaged-index", only(report).kind());
            assertEquals(Severity.SPARE, only(report).severity());
            assertEquals(List.of(true, true, true, true), good(report));
            assertFalse(report.sound());
        }
    }

    @Test
    void bothCopiesOfTheTablesDamagedIsALoss() throws IOException {
        damage(1, "index", Damage.flip(100, 0));
        damage(1, "zst", Damage.flip((int) Files.size(tools.file(1, "zst")) - 200, 0));
        Report report = tools.verify(Depth.CONTENT);
        assertEquals(Severity.DAMAGE, report.worst());
        assertEquals(List.of(true, false, false, false), good(report));
    }

    @Test
    void dataFilesThatAreAwayAreNotProved() throws IOException {
        Path away = folder.resolve("away");
        Files.move(tools.file(1, "zst"), away);
        for (Depth depth : TestVault.DEPTHS) {
            Report report = tools.verify(depth);
            assertEquals("not-at-hand", only(report).kind());
            assertEquals(Severity.UNKNOWN, report.worst());
            assertEquals(List.of(true, false, false, false), good(report));
            assertSound(tools.verify("tools@2026-11-01", depth));
            assertEquals("not-at-hand", only(tools.verify("tools@2026-11-02", depth)).kind());
        }
        Files.move(away, tools.file(1, "zst"));
        assertSound(tools.verify(Depth.CONTENT));
    }

    @Test
    void missingDataAndIndexIsALoss() throws IOException {
        Files.delete(tools.file(1, "zst"));
        Files.delete(tools.file(1, "index"));
        Report report = tools.verify(Depth.STRUCTURE);
        assertEquals("missing-file", only(report).kind());
        assertEquals(Severity.DAMAGE, report.worst());
        assertEquals(List.of(true, false, false, false), good(report));
    }

    @Test
    void missingArchiveBreaksTheChain() throws IOException {
        for (String suffix : List.of("zst", "json", "tree", "index")) {
            Files.delete(tools.file(1, suffix));
        }
        Report report = tools.verify(Depth.STRUCTURE);
        assertEquals(List.of("missing-points", "broken-chain"), report.findings().stream().map(Finding::kind).toList());
        assertEquals(List.of(true, false, false), good(report));
        assertEquals(List.of("missing-points", "broken-chain"), tools.verify("tools@latest", Depth.CONTENT).findings().stream().map(Finding::kind).toList());
    }

    @Test
    void missingManifestIsFoundByWhatItLeaves() throws IOException {
        Files.delete(tools.file(3, "json")); // the last one: no number is missing
        assertEquals("missing-manifest", only(tools.verify(Depth.STRUCTURE)).kind());
    }

    @Test
    void swappedDataFilesAreFoundByTheirHeaders() throws IOException {
        Path a = tools.file(1, "zst");
        Path b = tools.file(2, "zst");
        Files.move(a, folder.resolve("x"));
        Files.move(b, a);
        Files.move(folder.resolve("x"), b);
        Report report = tools.verify(Depth.STRUCTURE);
        assertEquals(Severity.DAMAGE, report.worst());
        assertEquals(List.of(true, false, false, false), good(report));
    }

    @Test
    void staleManifestIsFound() throws IOException {
        byte[] old = Files.readAllBytes(tools.file(1, "json"));
        String text = new String(old, java.nio.charset.StandardCharsets.UTF_8);
        Files.writeString(tools.file(1, "json"), text.replace("\"label\": null", "\"label\": \"x\""));
        assertEquals(Rule.F043, tools.verify(Depth.STRUCTURE).findings().getFirst().rule().orElseThrow());
    }

    @Test
    void manifestOfAnotherVolumeIsFound() throws IOException {
        TestVault other = new TestVault(folder.resolve("other"));
        other.add(Images.text(1, 1000));
        Files.copy(other.file(0, "json"), tools.file(0, "json"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Report report = tools.verify(Depth.STRUCTURE);
        assertTrue(report.findings().stream().anyMatch(f -> f.rule().equals(java.util.Optional.of(Rule.F040))), () -> report.findings().toString());
    }

    @Test
    void copyOfADeltaUnderAnotherNameIsRefused() throws IOException {
        String name = tools.file(1, "json").getFileName().toString().replace("T02", "T03");
        Files.copy(tools.file(1, "json"), tools.volume.folder().resolve(name));
        Finding finding = only(tools.verify(Depth.STRUCTURE));
        assertEquals(Rule.F036, finding.rule().orElseThrow());
        assertEquals(name, finding.file());
    }

    @Test
    void damagedManifestIsNeverGreen() throws IOException {
        damage(3, "json", Damage.flip(40, 0));
        Report all = tools.verify(Depth.CONTENT);
        assertEquals("damaged-manifest", only(all).kind());
        assertEquals(1, all.lostPoints());
        assertFalse(tools.verify("tools@latest", Depth.CONTENT).sound()); // it is another one now
        Report none = tools.verify("tools@2026-11-04", Depth.CONTENT);
        assertFalse(none.sound());
        assertEquals(List.of(), none.points());
    }

    @Test
    void leftoversAreNotes() throws IOException {
        Files.writeString(tools.volume.folder().resolve(".varve-stage.data"), "x");
        Files.writeString(tools.volume.folder().resolve("notes.txt"), "x");
        Report report = tools.verify(Depth.CONTENT);
        assertEquals(List.of("stray-file", "stray-file"), report.findings().stream().map(Finding::kind).toList());
        assertEquals(Severity.NOTE, report.worst());
        assertTrue(report.sound());
    }

    @Test
    void truncatedAndLongerFilesAreFoundByTheirSize() throws IOException {
        damage(1, "zst", Damage.append((byte) 1));
        Finding longer = tools.verify(Depth.STRUCTURE).findings().getFirst();
        assertEquals(Rule.F038, longer.rule().orElseThrow());
        damage(0, "zst", Damage.truncate(1_500_000));
        Report report = tools.verify(Depth.STORED);
        assertTrue(report.findings().contains(new Finding.DamagedRange(
                tools.file(0, "zst").getFileName().toString(), 1 << 20, tools.manifest(0).file().size() - (1 << 20))), () -> report.findings().toString());
        assertEquals(List.of(false, false, false, false), good(report));
    }

    @Test
    void aFolderInThePlaceOfAFileIsAFinding() throws IOException {
        for (String suffix : List.of("tree", "index", "zst", "json")) {
            Path file = tools.file(1, suffix);
            Files.move(file, folder.resolve("x"));
            Files.createDirectory(file);
            for (Depth depth : TestVault.DEPTHS) {
                Report report = tools.verify(depth);
                assertTrue(!report.sound() || suffix.equals("tree") && depth == Depth.STRUCTURE, suffix + " " + depth);
            }
            Files.delete(file);
            Files.move(folder.resolve("x"), file);
        }
    }
}
